"""What a training run is made of: a recipe as data, and three that have been tried."""

from dataclasses import dataclass, field, fields
from numbers import Integral, Real

from ..checks import check_integer


def _because(default, reason):
    """A field whose reason is also what the command line says of it."""
    return field(default=default, metadata={"reason": reason})


@dataclass(frozen=True)
class TrainingConfig:
    """A recipe for ``build_cifar``: SGD with Nesterov momentum, L2, pad-crop and flip.

    All that decides the result is here, so that two runs of one configuration are one experiment;
    ``why`` tells each field's reason.

    Raises:
        ValueError: names the rule and the value.
    """

    dataset: str = _because("digits", "a name that load knows; the digits need no download")
    depth: int = _because(20, "6n + 2 layers; 20 is the shallowest of He et al. 2015")
    shortcut: bool = _because(True, "off makes the plain twin, to compare with")
    epochs: int = _because(12, "one visit to each image; the schedule stretches over all of them")
    batch_size: int = _because(128, "as in the papers; halve the rate where you halve it")
    learning_rate: float = _because(0.1, "the peak of the schedule; 0.1 is that of the papers")
    warmup_epochs: float = _because(
        1.0, "in which the rate rises from almost zero: the first steps are the largest"
    )
    drops: tuple[int, ...] = _because(
        (), "steps at which the rate is divided by ten; without any it glides to zero by a cosine"
    )
    momentum: float = _because(0.9, "of Nesterov's kind: the gradient is that of where it leads")
    weight_decay: float = _because(
        1e-4, "times the weight is added to its gradient, once; none on BN, which rescales anyway"
    )
    padding: int = _because(
        4, "pixels mirrored around an image, from which a crop of its own size is drawn"
    )
    flip: bool = _because(True, "mirrors half of the images; a mirrored digit is none")
    seed: int = _because(0, "of the weights, the order, the crops and the flips")
    deterministic: bool = _because(
        False, "the same bits again on the same machine, by slower kernels"
    )

    def __post_init__(self):
        for name in ("depth", "epochs", "batch_size"):
            check_integer(name, getattr(self, name))
        for name in ("shortcut", "flip", "deterministic"):
            _check(name, isinstance(getattr(self, name), bool), "be True or False", self)
        for name in ("padding", "seed"):
            value = getattr(self, name)
            whole = isinstance(value, Integral) and not isinstance(value, bool)
            _check(name, whole and 0 <= value < 2**31, "be a whole number of at least 0", self)
        rises = _real(self.learning_rate, 0) and self.learning_rate > 0
        _check("learning_rate", rises, "be a number above 0", self)
        _check("momentum", _real(self.momentum, 0) and self.momentum < 1, "be in [0, 1)", self)
        _check("weight_decay", _real(self.weight_decay, 0), "be a number of at least 0", self)
        warm = _real(self.warmup_epochs, 0) and self.warmup_epochs < self.epochs
        _check("warmup_epochs", warm, f"be at least 0 and less than epochs ({self.epochs})", self)
        drops = self.drops
        whole = isinstance(drops, tuple) and all(isinstance(d, Integral) and d > 0 for d in drops)
        _check("drops", whole and list(drops) == sorted(set(drops)), "be steps that rise", self)
        # NumPy's numbers become Python's, which JSON and the command line can tell.
        object.__setattr__(self, "drops", tuple(map(int, drops)))
        for item in fields(self):
            if item.type in (int, float):
                object.__setattr__(self, item.name, item.type(getattr(self, item.name)))

    @classmethod
    def from_json(cls, values):
        """That of a dict which came back from JSON, where a tuple is a list."""
        return cls(**values | {"drops": tuple(values["drops"])})

    def why(self):
        """A dict from each field to its reason."""
        return {item.name: item.metadata["reason"] for item in fields(self)}

    def learning_rate_at(self, step, steps_per_epoch):
        """The rate of a step, counted from 0, of which an epoch has so many.

        Raises:
            ValueError: a drop never comes, or within the warm-up.
        """
        from .schedule import Schedule

        schedule = Schedule.of(self, steps_per_epoch)
        schedule.check()
        return float(schedule(step))


def _real(value, least):
    return isinstance(value, Real) and not isinstance(value, bool) and least <= value < float("inf")


def _check(name, holds, rule, config):
    if not holds:
        raise ValueError(f"{name} must {rule}, received {getattr(config, name)!r}")


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
