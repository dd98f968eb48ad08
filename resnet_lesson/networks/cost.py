"""The article's network as arithmetic: what ``build`` would make, part by part.

Nothing is built and TensorFlow is not needed, so that sizes can follow a slider.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from .orders import ORDERS, Order, bottleneck_convolutions
from .rules import check_build


@dataclass(frozen=True)
class Part:
    """A part of the network, and the feature maps that leave it.

    ``multiply_adds`` are those of convolutions and dense layers for one image; BN, ReLUs and
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


def parts(
    width: int,
    height: int,
    depth: int,
    classes: int,
    stages: Sequence[int],
    filters: Sequence[int],
    *,
    order: str = "full_preactivation",
) -> list[Part]:
    """What ``build`` makes of the same arguments: a list of ``Part``, input side first.

    Raises:
        ValueError: as ``build`` does, in the same words.
    """
    width, height, depth, classes, stages, filters = check_build(
        width, height, depth, classes, stages, filters, order
    )
    places = ORDERS[order]
    tally = _Tally(height, width, depth)
    tally.through(["BN"])
    tally.conv(filters[0], 5, 1)
    tally.through(["BN"])
    made = [tally.part("stem")]
    tally.halve()
    made.append(tally.part("pooled"))
    for stage, (units, channels) in enumerate(zip(stages, filters[1:], strict=True), start=1):
        stride = 2 if stage > 1 else 1
        tally.module(bottleneck_convolutions(channels, stride), True, places)
        tally.times = units - 1  # the others are alike
        tally.module(bottleneck_convolutions(channels, 1), False, places)
        tally.times = 1
        made.append(tally.part(f"stage{stage}", units))
    tally.through(places.before)
    tally.dense(classes)
    return [*made, tally.part("classifier")]


class _Tally:
    """Walks through a network and counts, everything as often as ``times`` says."""

    def __init__(self, height: int, width: int, channels: int) -> None:
        self.height, self.width, self.channels = height, width, channels
        self.times = 1
        self.weights = self.bn_channels = self.multiply_adds = 0

    def part(self, name: str, modules: int = 0) -> Part:
        """What was counted since the last part."""
        part = Part(
            name,
            modules,
            self.height,
            self.width,
            self.channels,
            # BN has a scale and an offset for each channel, and two running averages.
            self.weights + 4 * self.bn_channels,
            self.weights + 2 * self.bn_channels,
            self.multiply_adds,
        )
        self.weights = self.bn_channels = self.multiply_adds = 0
        return part

    def through(self, parts: Sequence[str]) -> None:
        """Parts of a module, of which BN alone has weights."""
        self.bn_channels += self.times * parts.count("BN") * self.channels

    def halve(self) -> None:
        self.height, self.width = ceil(self.height / 2), ceil(self.width / 2)

    def weigh(self, weights: int) -> None:
        """Weights that every pixel meets."""
        self.weights += self.times * weights
        self.multiply_adds += self.times * self.height * self.width * weights

    def conv(self, filters: int, size: int, stride: int) -> None:
        if stride == 2:
            self.halve()
        self.weigh(size * size * self.channels * filters)
        self.channels = filters

    def module(self, convolutions: list[tuple[int, int, int]], reduce: bool, order: Order) -> None:
        channels_in = self.channels
        for number, convolution in enumerate(convolutions):
            self.through(order.between if number else order.before)
            self.conv(*convolution)
        self.through(order.after)
        if reduce:  # a 1x1 convolution of the module's input, with the same outcome
            self.weigh(channels_in * self.channels)
            self.through(["BN"] if "BN" in order.after else [])
        self.through(order.after_addition)

    def dense(self, classes: int) -> None:
        self.weights += (self.channels + 1) * classes
        self.multiply_adds += self.channels * classes
        self.height = self.width = 1
        self.channels = classes
