"""The residual module, in full pre-activation and in any of five orders.

Source: He et al. 2016, *Identity Mappings in Deep Residual Networks*, arXiv 1603.05027, figure 4.
The article whose network ``build`` makes leaves Keras's Glorot initialiser in place; we use He's,
made for ReLU.
"""

from collections.abc import Sequence
from typing import Any

from ..backend import keras, native
from ..checks import check_flag, check_integer
from .layers import LayerMaker
from .orders import ORDERS, bottleneck_convolutions
from .rules import check_bottleneck_filters, check_order


def preactivation_bottleneck(
    x: keras.KerasTensor, filters: int, stride: int, reduce: bool, make: LayerMaker
) -> keras.KerasTensor:
    """(B, H, W, C) -> (B, H/stride, W/stride, filters): the module in full pre-activation.

    This is figure 4 (e), with the three convolutions of a bottleneck, to be read beside the paper.
    ``residual_module`` makes the same layers from the order's description, and a test holds that.
    """

    def bn_relu(x: keras.KerasTensor) -> keras.KerasTensor:
        return make.relu(make.bn(x))

    activated = bn_relu(x)
    branch = make.conv(activated, filters // 4, 1)
    branch = make.conv(bn_relu(branch), filters // 4, 3, stride)
    branch = make.conv(bn_relu(branch), filters, 1)
    shortcut = make.conv(activated, filters, 1, stride, "projection") if reduce else x
    return make.add(branch, shortcut)


def module(
    x: keras.KerasTensor,
    convolutions: list[tuple[int, int, int]],
    order: str,
    make: LayerMaker,
    *,
    reduce: bool,
    shortcut: bool,
) -> keras.KerasTensor:
    """(B, H, W, C) -> (B, H/stride, W/stride, filters): a module in any order.

    Args:
        x: symbolic Keras tensor.
        convolutions: (filters, size, stride) of each in the branch, input side first.
        order: one of ``ORDERS``.
        make: makes the layers.
        reduce: project the shortcut.
        shortcut: False leaves out the addition.
    """
    parts = ORDERS[order]
    activated = make.through(parts.before, x)
    branch = activated
    for number, (filters, size, stride) in enumerate(convolutions):
        if number:
            branch = make.through(parts.between, branch)
        branch = make.conv(branch, filters, size, stride)
    branch = make.through(parts.after, branch)
    if shortcut and reduce:
        total_stride = max(stride for _, _, stride in convolutions)
        x = make.conv(activated, filters, 1, total_stride, "projection")
        if "BN" in parts.after:  # what BN does to the branch's end, it does to its partner
            x = make.bn(x, "projection_bn")
    if shortcut:
        branch = make.add(branch, x)
    return make.through(parts.after_addition, branch)


def residual_module(
    data: keras.KerasTensor,
    filters: int,
    stride: int | Sequence[int] = 1,
    channel_axis: int = -1,
    reduce: bool = False,
    reg: float = 1e-4,
    bn_epsilon: float = 2e-5,
    bn_momentum: float = 0.9,
    *,
    order: str = "full_preactivation",
    shortcut: bool = True,
    name: str | None = None,
) -> keras.KerasTensor:
    """The bottleneck module: (B, H, W, C) -> (B, H/stride, W/stride, filters).

    Convolutions of 1x1, 3x3 and 1x1; the first two have ``filters / 4`` filters, the 3x3 has
    the stride. None has a bias.

    Args:
        data: symbolic Keras tensor with known channels.
        filters: filters of the last convolution, a multiple of 4.
        stride: a number, or a pair of equal ones.
        channel_axis: -1 or 3 for channels last, 1 for channels first (on TensorFlow, a GPU only).
        reduce: project the shortcut by a 1x1 convolution (of the pre-activated input in the
            two pre-activation orders, of the input in the others).
        reg: L2 strength of every convolution.
        bn_epsilon, bn_momentum: of every batch normalisation.
        order: one of the five orders of He et al. 2016, figure 4.
        shortcut: False leaves out the addition: the plain twin.
        name: prefix of the layers' names, such as ``"stage2_unit3"``.

    Raises:
        ValueError: names the rule and the value, before any layer is made.

    Source: He et al. 2016, arXiv 1603.05027, figures 1 and 4.
    """
    filters = check_bottleneck_filters("filters", filters)
    step = _check_stride(stride)
    channel_axis = check_channel_axis(channel_axis)
    check_flag("reduce", reduce)
    check_flag("shortcut", shortcut)
    check_order(order)
    make = LayerMaker(name, channel_axis, reg, bn_epsilon, bn_momentum)
    _check_input(data, filters, step, channel_axis, needs_same_shape=shortcut and not reduce)
    convolutions = bottleneck_convolutions(filters, step)
    return module(data, convolutions, order, make, reduce=reduce, shortcut=shortcut)


def _check_stride(stride: Any) -> int:
    pair = tuple(stride) if isinstance(stride, (list, tuple)) else (stride, stride)
    if len(pair) != 2 or pair[0] != pair[1]:
        raise ValueError(f"stride must be a number or a pair of equal ones, received {stride!r}")
    return check_integer("stride", pair[0])


def check_channel_axis(axis: Any) -> int:
    if isinstance(axis, bool) or axis not in (-1, 1, 3):
        raise ValueError(
            f"channel_axis must be -1 or 3 (channels last) or 1 (channels first), received {axis!r}"
        )
    if axis == 1 and not native.takes_channels_first():
        raise ValueError(
            "channels first (channel_axis 1) needs a GPU: TensorFlow's convolutions on a CPU take "
            "channels last only, received channel_axis=1 on a CPU"
        )
    return int(axis)


def _check_input(
    data: Any, filters: int, stride: int, channel_axis: int, needs_same_shape: bool
) -> None:
    shape = tuple(getattr(data, "shape", ()))
    if len(shape) != 4 or shape[channel_axis] is None:
        raise ValueError(
            "data must be a tensor of shape (batch, height, width, channels) with known channels, "
            f"received shape {shape}"
        )
    rows, columns = shape[2:4] if channel_axis == 1 else shape[1:3]
    if any(size is not None and size < stride for size in (rows, columns)):
        raise ValueError(
            f"data must be at least as large as its stride of {stride}, "
            f"received {rows}x{columns} pixels"
        )
    if not needs_same_shape:
        return
    if stride != 1:
        raise ValueError(
            f"a stride needs reduce=True to fit the shortcut, received stride={stride}"
        )
    if shape[channel_axis] != filters:
        raise ValueError(
            "a change of filters needs reduce=True to fit the shortcut: "
            f"data has {shape[channel_axis]} channels, received filters={filters}"
        )
