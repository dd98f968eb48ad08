"""The article's network as arithmetic: what ``build`` accepts, and what it would make.

Nothing is built and TensorFlow is not needed, so that sizes can follow a slider.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from numbers import Integral

# How each order of He 2016 places its parts: what stands before and after each convolution of
# the branch, what follows the last one, and what follows the addition. "n" norm, "r" ReLU.
ORDERS = {
    "original": {"before": "", "after": "nr", "last": "n", "sum": "r"},
    "bn_after_addition": {"before": "", "after": "nr", "last": "", "sum": "nr"},
    "relu_before_addition": {"before": "", "after": "nr", "last": "nr", "sum": ""},
    "relu_only_preactivation": {"before": "r", "after": "n", "last": "n", "sum": ""},
    "full_preactivation": {"before": "nr", "after": "", "last": "", "sum": ""},
}
# The rules of ``build`` in words. The only place of them: the builder's page fills them in, too.
RULES = {
    "positive": "{what} must be a positive integer, received {value}",
    "list": "{what} must be a non-empty list or tuple, received {value}",
    "by_four": "{what} must be divisible by 4, as a bottleneck works at a quarter of them, "
    "received {value}",
    "lengths": "filters must have one entry for the stem and one for each stage: {stages} stages "
    "need {needed} filters, received {value}",
    "halvings": "{what} must be at least {least} pixels to be halved {halvings} times, "
    "received {value}",
    "order": "order must be one of {choices}, received {value}",
}


@dataclass(frozen=True)
class Part:
    """A part of the network, and the feature maps that leave it.

    ``multiply_adds`` are those of convolutions and dense layers for one image; norms, ReLUs and
    pooling are not counted. ``parameters`` count BN's running averages, ``trainable`` does not.
    """

    name: str
    modules: int
    height: int
    width: int
    channels: int
    parameters: int
    trainable: int
    multiply_adds: int


def refuse(rule, **values):
    """Raise a rule's error, filled in."""
    raise ValueError(RULES[rule].format(**values))


def check_positive(what, value):
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        refuse("positive", what=what, value=repr(value))
    return int(value)


def check_bottleneck_filters(what, value):
    value = check_positive(what, value)
    if value % 4:
        refuse("by_four", what=what, value=value)
    return value


def check_list(what, values, check):
    values = getattr(values, "tolist", lambda: values)()  # an array's
    if not isinstance(values, (list, tuple)) or not values:
        refuse("list", what=what, value=repr(values))
    return tuple(check(f"{what}[{index}]", value) for index, value in enumerate(values))


def check_order(order):
    if not isinstance(order, str) or order not in ORDERS:
        refuse("order", choices=", ".join(ORDERS), value=repr(order))


def check_halvings(width, height, halvings):
    """A halving needs two pixels to halve; sizes round up, so 2**(halvings - 1) + 1 survive."""
    least = 2 ** (halvings - 1) + 1 if halvings else 1
    for what, value in [("width", width), ("height", height)]:
        if value < least:
            refuse("halvings", what=what, least=least, halvings=halvings, value=value)


def checked(width, height, depth, classes, stages, filters, order):
    """The same, as ``build`` takes them: whole numbers and tuples of them.

    Raises:
        ValueError: names the rule and the value.
    """
    sizes = [
        check_positive(*item)
        for item in [("width", width), ("height", height), ("depth", depth), ("classes", classes)]
    ]
    stages = check_list("stages", stages, check_positive)
    filters = check_list("filters", filters, check_positive)
    if len(filters) != len(stages) + 1:
        refuse("lengths", stages=len(stages), needed=len(stages) + 1, value=filters)
    for index, value in enumerate(filters[1:], start=1):
        check_bottleneck_filters(f"filters[{index}]", value)
    # The pooling and every stage but the first halve the image: as many halvings as stages.
    check_halvings(*sizes[:2], len(stages))
    check_order(order)
    return *sizes, stages, filters


def bottleneck_convolutions(filters, stride):
    """The convolutions of a bottleneck, input side first: (filters, size, stride) of each."""
    return [(filters // 4, 1, 1), (filters // 4, 3, stride), (filters, 1, 1)]


def parts(width, height, depth, classes, stages, filters, *, order="full_preactivation"):
    """What ``build`` makes of the same arguments: a list of ``Part``, input side first.

    Raises:
        ValueError: as ``build`` does, in the same words.
    """
    width, height, depth, classes, stages, filters = checked(
        width, height, depth, classes, stages, filters, order
    )
    tally = _Tally(height, width, depth)
    tally.norms("n")
    tally.conv(filters[0], 5, 1)
    tally.norms("n")
    made = [tally.part("stem")]
    tally.halve()
    made.append(tally.part("pooled"))
    for stage, (units, channels) in enumerate(zip(stages, filters[1:], strict=True), start=1):
        stride = 2 if stage > 1 else 1
        tally.module(bottleneck_convolutions(channels, stride), True, ORDERS[order])
        with tally.repeated(units - 1):  # the others are alike
            tally.module(bottleneck_convolutions(channels, 1), False, ORDERS[order])
        made.append(tally.part(f"stage{stage}", units))
    tally.norms(ORDERS[order]["before"])
    tally.dense(classes)
    return [*made, tally.part("classifier")]


class _Tally:
    """Walks through a network and counts."""

    def __init__(self, height, width, channels):
        self.height, self.width, self.channels = height, width, channels
        self.times = 1
        self.weights = self.normed = self.multiply_adds = 0

    @contextmanager
    def repeated(self, times):
        self.times = times
        yield
        self.times = 1

    def part(self, name, modules=0):
        """What was counted since the last part."""
        part = Part(
            name,
            modules,
            self.height,
            self.width,
            self.channels,
            # A norm has a scale and an offset for each channel, and two running averages.
            self.weights + 4 * self.normed,
            self.weights + 2 * self.normed,
            self.multiply_adds,
        )
        self.weights = self.normed = self.multiply_adds = 0
        return part

    def norms(self, letters):
        self.normed += self.times * letters.count("n") * self.channels

    def halve(self):
        self.height, self.width = ceil(self.height / 2), ceil(self.width / 2)

    def weigh(self, weights):
        """Weights that every pixel meets."""
        self.weights += self.times * weights
        self.multiply_adds += self.times * self.height * self.width * weights

    def conv(self, filters, size, stride):
        if stride == 2:
            self.halve()
        self.weigh(size * size * self.channels * filters)
        self.channels = filters

    def module(self, convolutions, reduce, order):
        channels_in = self.channels
        for number, (filters, size, stride) in enumerate(convolutions, start=1):
            self.norms(order["before"])
            self.conv(filters, size, stride)
            self.norms(order["last"] if number == len(convolutions) else order["after"])
        if reduce:  # a 1x1 convolution of the module's input, with the same outcome
            self.weigh(channels_in * self.channels)
            self.norms("n" if "n" in order["last"] else "")
        self.norms(order["sum"])

    def dense(self, classes):
        self.weights += (self.channels + 1) * classes
        self.multiply_adds += self.channels * classes
        self.height = self.width = 1
        self.channels = classes
