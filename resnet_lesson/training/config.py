"""The configuration of a training run: a recipe as data, its options, and three presets."""

import argparse
import dataclasses
import shlex
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any

from ..checks import (
    INT32,
    check_choice,
    check_flag,
    check_integer,
    check_number,
    check_rule,
    number_or_text,
    shown,
)
from ..data.datasets import NAMES
from ..networks.rules import modules_per_stage

DEEPEST = 10_000  # layers; the deepest network of He et al. 2015 has 1,202


def _check_depth(what: str, value: Any) -> int:
    modules_per_stage(value, 3, bottleneck=False, what=what)
    return check_integer(what, value, most=DEEPEST)


def _check_drops(what: str, value: Any) -> tuple[int, ...]:
    is_valid = isinstance(value, tuple) and all(isinstance(step, Integral) for step in value)
    if not is_valid or list(value) != sorted({step for step in value if step > 0}):
        raise ValueError(f"{what} must be steps that rise, received {shown(value)}")
    return tuple(map(int, value))


DEVICES = ("one", "all")  # on which ``train`` may run

_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "dataset": partial(check_choice, choices=NAMES),
    "depth": _check_depth,
    **dict.fromkeys(("epochs", "batch_size"), partial(check_integer, most=INT32)),
    **dict.fromkeys(("padding", "seed"), partial(check_integer, least=0, most=INT32)),
    **dict.fromkeys(("shortcut", "flip", "deterministic", "bfloat16"), check_flag),
    **dict.fromkeys(("warmup_epochs", "weight_decay"), check_number),
    "learning_rate": partial(check_number, above=0),
    "momentum": partial(check_number, below=1),
    "drops": _check_drops,
}


def _because(default: Any, reason: str) -> Any:
    """A field with the reason for its default, which is also its help on the command line."""
    return field(default=default, metadata={"reason": reason})


@dataclass(frozen=True)
class TrainingConfig:
    """A recipe for ``build_cifar``: SGD with Nesterov momentum, L2, pad-crop and flip.

    It holds everything that decides the result, so that two runs of one configuration are the same
    experiment; ``why`` gives the reason for each field.

    Raises:
        ValueError: names the rule and the value.
    """

    dataset: str = _because("digits", "a name that load knows; the digits need no download")
    depth: int = _because(20, "6n + 2 layers; 20 is the shallowest of He et al. 2015")
    shortcut: bool = _because(True, "off makes the plain twin, to compare with")
    epochs: int = _because(12, "visits to each image; the schedule stretches over all of them")
    batch_size: int = _because(
        128, "images a step, as in the papers; for half as many, halve the rate"
    )
    learning_rate: float = _because(0.1, "the peak of the schedule; 0.1 is that of the papers")
    warmup_epochs: float = _because(
        1.0, "epochs in which the rate rises from almost zero, to move a fresh network gently"
    )
    drops: tuple[int, ...] = _because(
        (), "steps at which the rate is divided by ten; without any it glides to zero by a cosine"
    )
    momentum: float = _because(
        0.9, "of Nesterov's kind: the gradient is taken where the momentum leads"
    )
    weight_decay: float = _because(
        1e-4, "this times each kernel is added to its gradient; BN, which rescales anyway, has none"
    )
    padding: int = _because(
        4, "pixels mirrored at each edge of an image, before a crop of its own size is drawn"
    )
    flip: bool = _because(
        True, "mirror half of the images; not for digits, as a mirrored digit is none"
    )
    seed: int = _because(0, "of the weights, of the order of the images, of crops and flips")
    deterministic: bool = _because(
        False, "the same bits again on the same machine, by slower kernels"
    )
    bfloat16: bool = _because(
        False, "compute in bfloat16: faster on some processors, and with other roundings"
    )

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            # NumPy's numbers become Python's, which JSON and the command line can write.
            object.__setattr__(self, name, check(self.called(name), getattr(self, name)))
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"{self.called('warmup_epochs')} must be at least 0, for no warm-up, and less than "
                f"{self.called('epochs')} ({self.epochs}), received {self.warmup_epochs!r}"
            )

    def called(self, name: str) -> str:
        """The name under which the value of a field was given, for errors."""
        return name

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "TrainingConfig":
        """The configuration of a dict that was read from JSON, where a tuple is a list.

        Raises:
            ValueError: names the rule and the value.
        """
        names = [item.name for item in fields(cls)]
        for name in values:
            check_choice("a field of a configuration", name, names)
        drops: Any = values.get("drops")
        check_rule("drops", drops, "be a list", isinstance(drops, (list, tuple)))
        return cls(**values | {"drops": tuple(drops)})

    def to_json(self) -> dict[str, Any]:
        """A dict that JSON can hold."""
        return dataclasses.asdict(self)

    def why(self) -> dict[str, str]:
        """A dict from each field to its reason."""
        return {item.name: item.metadata["reason"] for item in fields(self)}

    def steps_per_epoch(self, images: int) -> int:
        """Full batches in so many images.

        Raises:
            ValueError: there is none.
        """
        if images < self.batch_size:
            raise ValueError(
                f"{self.called('batch_size')} must be at most the {images} training images, "
                f"received {self.batch_size}"
            )
        return images // self.batch_size

    def schedule(self, steps_per_epoch: int) -> Any:
        """The ``Schedule`` of the learning rate, for epochs of so many steps."""
        from .schedule import Schedule  # with TensorFlow

        warmup = round(self.warmup_epochs * steps_per_epoch)
        return Schedule(self.learning_rate, warmup, self.epochs * steps_per_epoch, self.drops)

    def learning_rate_at(self, step: int, steps_per_epoch: int) -> float:
        """The learning rate of a step, counted from 0, for epochs of so many steps.

        Raises:
            ValueError: a drop comes after the run, or within the warm-up.
        """
        schedule = self.schedule(steps_per_epoch)
        schedule.check(self.called("drops"))
        return float(schedule(step))


PRESETS = {
    # Seconds on a CPU: 1,280 images of 8x8 pixels, a crop moves them by one.
    "digits": TrainingConfig(batch_size=64, padding=1, flip=False),
    # Up, then down to zero, in a quarter of the papers' epochs: results/cifar10.json has what it
    # reaches, and six others beside it.
    "cifar10-fast": TrainingConfig(
        "cifar10", epochs=40, learning_rate=0.2, warmup_epochs=5, weight_decay=5e-4
    ),
    # He et al. 2015, section 4.2: 64,000 iterations (164 epochs of 390 are 63,960); the warm-up of
    # one epoch stands for theirs of about 400 iterations, which only 110 layers got.
    "cifar10-he": TrainingConfig("cifar10", epochs=164, drops=(32_000, 48_000)),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field; an option that is not given leaves no attribute."""
    for item in fields(TrainingConfig):
        parser.add_argument(
            _flag(item.name),
            default=argparse.SUPPRESS,
            help=item.metadata["reason"].replace("%", "%%"),
            **_reading(item.type),
        )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _reading(kind: Any) -> dict[str, Any]:
    """How argparse reads an option of this type."""
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if typing.get_origin(kind) is tuple:
        return {"type": partial(number_or_text, int), "nargs": "*", "metavar": "N"}
    if kind is str:
        return {"metavar": "NAME"}
    return {"type": partial(number_or_text, kind), "metavar": "N"}


def with_options(
    config: TrainingConfig, options: argparse.Namespace, begun: Path | None = None
) -> TrainingConfig:
    """The configuration, changed by the options that were given.

    Args:
        config: a preset, or what a run was begun with.
        options: as they were read.
        begun: the folder of that run.

    Raises:
        ValueError: names the rule, the option and the value.
    """
    given = {name: value for name, value in vars(options).items() if name in vars(config)}
    if "drops" in given:
        given["drops"] = tuple(given["drops"])
    if begun:
        check_unchanged(begun, config, given, _flag)

    class Given(TrainingConfig):
        def called(self, name: str) -> str:
            whose = "the run's" if begun else "the preset's"
            return _flag(name) if name in given else f"{_flag(name)} (not given, so {whose})"

    return Given(**vars(config) | given)


def check_unchanged(
    folder: Path,
    before: TrainingConfig,
    now: Mapping[str, Any],
    called: Callable[[str], str],
) -> None:
    """Refuse a run that would go on with another configuration.

    Args:
        folder: the run's.
        before: with which it was begun.
        now: the values of some fields, or of all.
        called: gives the names of fields in the error.

    Raises:
        ValueError: a value is another.
    """
    for name, value in now.items():
        begun = getattr(before, name)
        if begun != value:
            raise ValueError(
                f"a run goes on as it began: {folder} has {called(name)} {begun!r}, received "
                f"{shown(value)}; resume with {begun!r}, or choose another output"
            )


def command(config: TrainingConfig, data: str | None = None, backend: str = "tensorflow") -> str:
    """The line that repeats this run: the nearest preset, and the options that differ from it.

    Args:
        config: the run's.
        data: the name of a local copy, if the data set was not downloaded.
        backend: on which it began.
    """
    lines = [[f"--preset {name}", *_options(config, preset)] for name, preset in PRESETS.items()]
    local = ["--data", shlex.quote(data)] if data and data != config.dataset else []
    other = [] if backend == "tensorflow" else ["--backend", backend]
    return " ".join(["python -m resnet_lesson train", *min(lines, key=len), *local, *other])


def _options(config: TrainingConfig, preset: TrainingConfig) -> Iterator[str]:
    for name, value in vars(config).items():
        if value == getattr(preset, name):
            continue
        if isinstance(value, bool):
            yield _flag(name if value else f"no-{name}")
        else:
            values = value if isinstance(value, tuple) else [value]
            yield " ".join([_flag(name), *map(str, values)])
