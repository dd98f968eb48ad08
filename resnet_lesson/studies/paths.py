"""A residual network as many paths: gradient by the length of its path, and modules deleted.

After Veit et al. 2016, arXiv 1605.06431.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..data import load
from .engine import Study, product
from .record import Row

BATCH, RATE = 64, 0.1
SAMPLES = 16  # paths of each length whose own gradient is taken
VJP = Callable[[Any], Any]  # vector-Jacobian product: the backward pass of one branch


def measure(part: str, network: str, depth: int, epochs: int, seed: int) -> list[Row]:
    """The rows of one part, about a network after ``epochs`` at a rate of 0.1; 0 is untrained.

    "length", one row for each number of branches that a path leads through: ``length``; the
    part of the gradient at the first module's input that came by all paths of this length, as
    ``log10_norm`` and, over the norm of the full gradient, ``share`` (parts are vectors: their
    norms do not add up to 1); ``log10_path_norm``, of the mean norm of single paths drawn from
    them. There are math.comb(modules, length) paths of a length.

    "deletion", one row for each module: ``module``, from 1; the test ``accuracy`` without it (its
    input is handed on in its place; of a residual module, the shortcut remains), with the
    statistics of the BN layers as before; ``recalibrated_accuracy``, with their statistics over all
    training digits without that module; ``whole_accuracy`` with all modules in place.
    """
    from .trainer import start

    trainer = start(seed, depth, network == "residual")
    trainer.train(epochs, RATE, seed)
    if part == "length":
        return _by_length(trainer.model, seed)
    before = trainer.accuracies()["test_accuracy"]  # also sets the statistics of the BN layers
    return [
        {"module": module} | accuracies | {"whole_accuracy": before}
        for module, accuracies in enumerate(_without_each(trainer.model), start=1)
    ]


def backward(model: Any, x: np.ndarray, y: np.ndarray) -> tuple[Any, list[VJP]]:
    """The gradient of the loss at the last module's output, and the backward pass of each branch.

    Args:
        model: a residual network that ``dissect`` can cut.
        x, y: a batch of images (B, H, W, 1) and labels (B,); BN takes its statistics from it.

    Returns:
        (B, H, W, C) the gradient, and a function for each module, the last module first: from a
        gradient at the branch's output to the gradient at its input.
    """
    from ..networks.dissect import dissect
    from ..runtime import keras, tf

    def with_vjp(branch: Any, h: Any) -> tuple[Any, VJP]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(h)
            out = branch(h, training=True)
        return out, lambda g: tape.gradient(out, h, output_gradients=g)

    network = dissect(model)
    h = network.stem(x, training=True)
    vjps: list[VJP] = []
    for module in network.modules:
        out, vjp = with_vjp(module.branch, h)
        vjps.insert(0, vjp)
        h = h + out
    with tf.GradientTape() as tape:
        tape.watch(h)
        losses = keras.losses.sparse_categorical_crossentropy(y, network.head(h, training=True))
        loss = tf.reduce_mean(losses)
    return tape.gradient(loss, h), vjps


def split(gradient: Any, vjps: list[VJP]) -> list:
    """The gradient at the first module's input by path length, exactly.

    A module turns a gradient g into g + J'g: what leaves it by paths of k branches came to it by
    paths of k, and passed its shortcut, or of k - 1, and passed its branch.

    Args:
        gradient, vjps: as ``backward`` returns them.

    Returns:
        For each length from 0 to the number of modules, an array of the gradient's shape.
    """
    parts = [gradient]
    for vjp in vjps:
        by_branch = [vjp(part) for part in parts]
        both = [straight + turn for straight, turn in zip(parts[1:], by_branch, strict=False)]
        parts = [gradient, *both, by_branch[-1]]
    return parts


def along(gradient: Any, vjps: list[VJP], chosen: Iterable[int]) -> Any:
    """The part of a single path: through the branches of the ``chosen`` modules only."""
    for index in sorted(chosen):
        gradient = vjps[index](gradient)
    return gradient


def _by_length(model: Any, seed: int) -> list[Row]:
    from ..gradients.norms import norm

    digits = load("digits")
    random = np.random.default_rng([seed, 4])
    batch = random.choice(len(digits.x_train), BATCH, replace=False)
    gradient, vjps = backward(model, digits.x_train[batch], digits.y_train[batch])
    parts = split(gradient, vjps)
    total, rows = norm(sum(parts)), []
    for length, part in enumerate(parts):
        paths = [random.choice(len(vjps), length, replace=False) for _ in range(SAMPLES)]
        single = float(np.mean([norm(along(gradient, vjps, path)) for path in paths]))
        rows.append(
            {
                "length": length,
                "share": norm(part) / total,
                "log10_norm": _log10(norm(part)),
                "log10_path_norm": _log10(single),
            }
        )
    return rows


def _log10(norm: float) -> float | None:
    return float(np.log10(norm)) if norm > 0 else None


def _without_each(model: Any) -> Iterator[Row]:
    """For each module, the test accuracies without it: BN statistics as they are, and anew."""
    from ..networks.dissect import dissect
    from .trainer import accuracy

    digits = load("digits")
    network = dissect(model)
    weights = model.get_weights()
    for deleted in network.modules:

        def predict(x: np.ndarray, training: bool, deleted: Any = deleted) -> Any:
            h = network.stem(x, training=training)
            for module in network.modules:
                if module is not deleted:
                    h = module.whole(h, training=training)
            return network.head(h, training=training)

        model.set_weights(weights)
        as_before = accuracy(predict, digits.x_test, digits.y_test)
        predict(digits.x_train, training=True)  # sets the statistics
        anew = accuracy(predict, digits.x_test, digits.y_test)
        yield {"accuracy": as_before, "recalibrated_accuracy": anew}


STUDY = Study(
    name="paths",
    question="How long are the paths of the gradient, and what does one module matter?",
    grid=product(part=("length",), network=("residual",), depth=(56,), epochs=(10, 0))
    + product(part=("deletion",), network=("residual",), depth=(56,), epochs=(10,))
    + product(part=("deletion",), network=("residual", "plain"), depth=(20,), epochs=(20,)),
    measure=measure,
)
