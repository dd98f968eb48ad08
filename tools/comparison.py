"""Comparisons of what was measured: one side is more than another, over all seeds, by a margin."""

import collections
import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from math import comb
from typing import Any

import numpy as np

from resnet_lesson import studies
from resnet_lesson.studies.record import COMMITTED, Record

Row = dict[str, Any]
Tables = Callable[[str], Record]


@dataclass(frozen=True)
class Runs:
    """One measure of the rows of ``table`` that have these settings; a tuple stands for any of its
    members.

    ``table`` is a committed record or one of TABLES, ``measure`` a column of it or one of
    DERIVED. With ``best_of``, an accuracy, only the runs at the learning rate that is best by it.
    """

    table: str
    measure: str
    where: Row = field(default_factory=dict)
    best_of: str | None = None

    def at_best(self) -> "Runs":
        """At the best rate of those that were tried; the measure is an error."""
        return replace(self, best_of=self.measure.replace("error", "accuracy"))

    def rows(self, tables: Tables) -> list[Row]:
        chosen = tables(self.table).where(**self.where)
        for name, value in self.where.items():
            missing = {*value} - {*chosen.values(name)} if isinstance(value, tuple) else None
            if missing:
                raise ValueError(f"no run has {name} {missing}: {self}")
        if self.best_of:
            chosen = chosen.best(self.best_of, "learning_rate")
        lacking = [row for row in chosen.runs if self.measure not in row]
        if lacking:
            raise ValueError(f"every run must have {self.measure}, received {lacking[0]}")
        return chosen.runs


@dataclass(frozen=True)
class Comparison:
    """``more`` is at least ``times`` ``less`` plus ``by``, whatever the values of ``per``.

    Either side is runs or a number. Of the rows with one value of ``per``, the least of ``more``
    is held against the largest of ``less``: without ``per``, every row against every other.
    """

    more: Runs | float
    less: Runs | float
    by: float = 0.0
    times: float = 1.0
    per: tuple[str, ...] = ()

    def pairs(self, tables: Tables) -> list[tuple[float, float]]:
        """The least of ``more`` and the largest of ``less``, for each value of ``per``."""
        more, less = self._values(self.more, tables), self._values(self.less, tables)
        keys = more.keys() if isinstance(self.more, Runs) else less.keys()
        if isinstance(self.more, Runs) and isinstance(self.less, Runs) and keys != less.keys():
            raise ValueError(f"both sides of a claim must have the same {self.per}: {self}")
        return [(min(more[key]), max(less[key])) for key in keys]

    def holds(self, tables: Tables) -> bool:
        return all(more >= self.times * less + self.by for more, less in self.pairs(tables))

    def told(self, tables: Tables) -> str:
        """The pair that is nearest to each other, in figures."""
        pairs = self.pairs(tables)
        more, less = min(pairs, key=lambda pair: pair[0] - self.times * pair[1])
        margin = f" x {self.times:g}" * (self.times != 1) + f" + {self.by:g}" * (self.by != 0)
        counts = [
            f"{len(rows)} runs of {len({row.get('seed') for row in rows})} seeds"
            for side in (self.more, self.less)
            if isinstance(side, Runs)
            for rows in [side.rows(tables)]
        ]
        nearest = f", the nearest of {len(pairs)}" * (len(pairs) > 1)
        return f"{more:.4g} >= {less:.4g}{margin}{nearest} ({' and '.join(counts)})"

    def _values(self, side: Runs | float, tables: Tables) -> Mapping[tuple, list[float]]:
        if not isinstance(side, Runs):
            return collections.defaultdict(lambda: [side])
        found: dict[tuple, list[float]] = {}
        for row in side.rows(tables):
            found.setdefault(tuple(row[name] for name in self.per), []).append(row[side.measure])
        return found


# ---------------------------------------------------------------- what is compared


def _error(accuracy: str) -> Callable[[Row], float]:
    """In per cent; a network that diverged has no answer right."""
    return lambda row: 100 * (1 - (row[accuracy] or 0.0))


DERIVED: dict[str, Callable[[Row], float]] = {
    "train_error": _error("train_accuracy"),
    "test_error": _error("test_accuracy"),
    # How many times as large as the last layer's gradient the first one's is, before any step.
    "gradient_ratio": lambda row: row["step0_first_gradient"] / row["step0_last_gradient"],
    "first_weight_growth": lambda row: row["end_first_weight"] / row["step0_first_weight"],
    "gradient_range": lambda row: (
        row["largest_gradient"] / row["least_gradient"] if row["least_gradient"] else np.inf
    ),
}


def _path_lengths() -> Iterator[Row]:
    """The part of the gradient, and of all paths, that is at most 8 of 27 branches long."""
    lengths = table("paths").where(part="length")
    for epochs, seed in itertools.product(lengths.values("epochs"), lengths.values("seed")):
        parts = lengths.where(epochs=epochs, seed=seed)
        within = parts["share"][parts["length"] <= 8].sum() / parts["share"].sum()
        yield {"of": "gradient", "epochs": epochs, "seed": seed, "within_8": within}
    paths = sum(comb(27, length) for length in range(9)) / 2**27
    yield {"of": "paths", "within_8": paths}


def _projections() -> Iterator[Row]:
    """A module that projects: how an input a hundred times larger changes its output."""
    from resnet_lesson import residual_module
    from resnet_lesson.runtime import keras, set_seed
    from resnet_lesson.studies.projection import raw_projections

    for seed in range(3):
        set_seed(seed)
        image = keras.Input((8, 8, 16))
        right = keras.Model(image, residual_module(image, 32, reduce=True, name="unit"))
        x = np.random.default_rng(seed).standard_normal((16, 8, 8, 16)).astype("float32")
        for reads, model in (("activated", right), ("raw", raw_projections(right))):
            once, larger = (model(scale * x, training=True).numpy() for scale in (1, 100))
            change = np.linalg.norm(larger - once) / np.linalg.norm(once)
            yield {"reads": reads, "seed": seed, "change": float(change)}


def _networks() -> Iterator[Row]:
    """Networks by their layers: how often the wire is projected, where the parameters sit."""
    from resnet_lesson import ResNet, build_cifar

    networks = {
        "article": ResNet.build(64, 64, 3, 200, (3, 4, 6), (64, 128, 256, 512)),
        "ResNet-20": build_cifar(20),
        "ResNet-164": build_cifar(164, bottleneck=True),
    }
    for name, model in networks.items():
        projections = sum(layer.name.endswith("_projection") for layer in model.layers)
        yield {"network": name, "stage": None, "projections": projections}
        for stage in ("stage1", "stage2", "stage3"):
            own = [weight for weight in model.weights if weight.path.startswith(stage)]
            share = sum(np.prod(weight.shape) for weight in own) / model.count_params()
            yield {"network": name, "stage": stage, "share": float(share)}


def _modules() -> Iterator[Row]:
    """Modules of 64 channels, by the weights of their convolutions."""
    from resnet_lesson.networks import orders

    for kind in ("basic", "bottleneck"):
        weights, channels = 0, 64
        for filters, size, _ in getattr(orders, f"{kind}_convolutions")(64, 1):
            weights, channels = weights + size * size * channels * filters, filters
        yield {"kind": kind, "weights": weights}


def _plus_one() -> Iterator[Row]:
    """New modules with BN: the gradient of the signal, first over last, and largest over least."""
    from resnet_lesson import stack_gradients

    options = {
        "plain": {},
        "residual": {"shortcut": True},
        "shortcuts_alone": {"shortcut": True, "shortcut_only": True},
    }
    for name, seed in itertools.product(options, range(5)):
        stack = stack_gradients(27, kind="basic", normalization=True, seed=seed, **options[name])
        gradient = stack.signal_gradient
        ratio, spread = gradient[0] / gradient[-1], gradient.max() / gradient.min()
        yield {"network": name, "seed": seed, "ratio": float(ratio), "spread": float(spread)}


def _watched(layers: list[Any], optimizer: Any, epochs: int = 1) -> dict[str, np.ndarray]:
    """What a monitor sees while these layers learn the digits."""
    from resnet_lesson import GradientMonitor, load
    from resnet_lesson.runtime import keras

    digits = load("digits")
    classifier = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, classifier])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    monitor = GradientMonitor()
    x, y = digits.x_train, digits.y_train
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0, callbacks=[monitor])
    return monitor.records


def _sigmoid_layers() -> Iterator[Row]:
    """Six sigmoid layers in one epoch: their gradients beside the last one, their updates."""
    from resnet_lesson.runtime import keras, set_seed

    optimizers = {"SGD": lambda: keras.optimizers.SGD(0.1), "Adam": keras.optimizers.Adam}
    for (name, make), seed in itertools.product(optimizers.items(), range(3)):
        set_seed(seed)
        hidden = [keras.layers.Dense(64, activation="sigmoid") for _ in range(6)]
        records = _watched([keras.layers.Flatten(), *hidden], make())
        gradients, updates = (
            np.median(records[measure], axis=0) for measure in ("gradient_norm", "update_ratio")
        )
        beside = (gradients / gradients[-1]).tolist()
        for layer, both in enumerate(zip(beside, updates.tolist(), strict=True), 1):
            about = {"optimizer": name, "seed": seed, "layer": layer}
            yield about | dict(zip(("gradient", "update"), both, strict=True))


def _two_convolutions() -> Iterator[Row]:
    """The relative updates of a small network with Adam, at its first step and in epoch ten."""
    from resnet_lesson.runtime import keras, set_seed

    for seed in range(3):
        set_seed(seed)
        hidden = [keras.layers.Conv2D(16, 3, activation="relu") for _ in range(2)]
        ratios = _watched([*hidden, keras.layers.Flatten()], "adam", epochs=10)["update_ratio"]
        times = {"first step": ratios[0], "epoch 10": ratios[-20:].mean(axis=0)}
        for when, values in times.items():
            for layer, update in enumerate(values.tolist(), 1):
                yield {"when": when, "seed": seed, "layer": layer, "update": update}


def _lesions() -> Iterator[Row]:
    """The trained network for CIFAR-10 without one of its modules."""
    from resnet_lesson import pretrained

    record = pretrained.lesions()
    names, images = record["modules"], sum(record["images"])
    for row in record["without"]:
        if row["deleted"].count("1") == 1:
            name = names[row["deleted"].index("1")]
            yield {"deleted": name, "accuracy": sum(row["right"]) / images}


TABLES: dict[str, Callable[[], Iterator[Row]]] = {
    "path_lengths": _path_lengths,
    "plus_one": _plus_one,
    "projections": _projections,
    "networks": _networks,
    "modules": _modules,
    "sigmoid_layers": _sigmoid_layers,
    "two_convolutions": _two_convolutions,
    "lesions": _lesions,
}


@cache
def table(name: str) -> Record:
    """A record or one of TABLES, with what is derived of its columns."""
    if name in TABLES:
        made = Record(list(TABLES[name]()), {"study": name})
    else:
        made = studies.record(name, COMMITTED)
    return Record([row | _derived(row) for row in made.runs], made.about)


def _derived(row: Row) -> Row:
    found = {}
    for name, function in DERIVED.items():
        # A row may lack these columns, or have nulls in them.
        with contextlib.suppress(KeyError, TypeError):
            found[name] = function(row)
    return found
