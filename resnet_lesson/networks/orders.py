"""A residual module as data: the five orders of its parts, and the convolutions of two kinds.

Source of the orders: He et al. 2016, *Identity Mappings in Deep Residual Networks*, arXiv
1603.05027, figure 4.
"""

from typing import NamedTuple


class Order(NamedTuple):
    """The parts around the convolutions of a branch, "BN" or "ReLU", in the signal's direction."""

    before: tuple[str, ...]  # the first convolution
    between: tuple[str, ...]  # two convolutions
    after: tuple[str, ...]  # the last convolution
    after_addition: tuple[str, ...]

    @property
    def after_stem(self) -> tuple[str, ...]:
        """The parts between the network's first convolution and its first module.

        A module begins with ``before``; of ``between``, what stands in front of that is due here:
        BN and ReLU in the original order, nothing in full pre-activation.
        """
        return self.between[: len(self.between) - len(self.before)]


def _read(words: str) -> Order:
    branch, _, after_addition = words.partition("addition")
    places = [*branch.split("conv"), after_addition]
    return Order(*(tuple(place.replace(",", " ").split()) for place in places))


# (a) to (e) of the figure, with two convolutions, to be read aloud; a third has the parts between
# them once more.
ORDERS = {
    "original": _read("conv, BN, ReLU, conv, BN, addition, ReLU"),
    "bn_after_addition": _read("conv, BN, ReLU, conv, addition, BN, ReLU"),
    "relu_before_addition": _read("conv, BN, ReLU, conv, BN, ReLU, addition"),
    "relu_only_preactivation": _read("ReLU, conv, BN, ReLU, conv, BN, addition"),
    "full_preactivation": _read("BN, ReLU, conv, BN, ReLU, conv, addition"),
}


def basic_convolutions(filters: int, stride: int) -> list[tuple[int, int, int]]:
    """(filters, size, stride) of each convolution of a basic module, input side first."""
    return [(filters, 3, stride), (filters, 3, 1)]


def bottleneck_convolutions(filters: int, stride: int) -> list[tuple[int, int, int]]:
    """(filters, size, stride) of each convolution of a bottleneck, input side first."""
    return [(filters // 4, 1, 1), (filters // 4, 3, stride), (filters, 1, 1)]
