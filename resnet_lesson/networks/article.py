"""The article's network, and the class under which its readers look for it."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..backend import keras
from .layers import LayerMaker, classifier
from .orders import ORDERS
from .residual import check_channel_axis, residual_module
from .rules import check_build

layers = keras.layers


def build(
    width: int,
    height: int,
    depth: int,
    classes: int,
    stages: Sequence[int],
    filters: Sequence[int],
    reg: float = 1e-4,
    bn_epsilon: float = 2e-5,
    bn_momentum: float = 0.9,
    *,
    order: str = "full_preactivation",
) -> keras.Model:
    """The article's network: images (B, height, width, depth) -> probabilities (B, classes).

    A normalised 5x5 stem and a 3x3 max pooling, then for each stage one projecting bottleneck
    (of stride 2 but in the first stage) and ``stages[i] - 1`` more, all in full pre-activation.

    Differs from the article's listing in three places: ``reg`` reaches every convolution and
    the classifier; global average pooling replaces a hard-wired 8x8 one, to the same effect at
    64x64 with three stages; bad input is refused.

    Args:
        width, height: of the images, in pixels; enough for a halving by each stage.
        depth: channels of the images.
        classes: number of classes.
        stages: modules in each stage, such as ``(3, 4, 6)``.
        filters: of the stem, then of each stage (multiples of 4), such as
            ``(64, 128, 256, 512)``.
        reg, bn_epsilon, bn_momentum, order: as in ``residual_module``.

    Images are channels last, or first where ``keras.config.image_data_format()`` says so.

    Returns:
        An uncompiled ``keras.Model`` named ``"resnet"``.

    Raises:
        ValueError: names the rule and the value, before any layer is made.
    """
    width, height, depth, classes, stages, filters = check_build(
        width, height, depth, classes, stages, filters, order
    )
    axis = check_channel_axis(-1 if keras.config.image_data_format() == "channels_last" else 1)

    stem = LayerMaker("stem", axis, reg, bn_epsilon, bn_momentum)
    shape = (height, width, depth) if axis == -1 else (depth, height, width)
    image = x = keras.Input(shape, name="image")
    x = stem.bn(x)
    x = stem.conv(x, filters[0], 5, name="conv")
    x = stem.relu(stem.bn(x))
    x = layers.ZeroPadding2D(1, data_format=stem.data_format, name="stem_padding")(x)
    x = layers.MaxPooling2D(3, 2, data_format=stem.data_format, name="stem_pool")(x)
    for stage, (units, width_out) in enumerate(zip(stages, filters[1:], strict=True), start=1):
        for unit in range(1, units + 1):
            x = residual_module(
                x,
                width_out,
                stride=2 if unit == 1 and stage > 1 else 1,
                channel_axis=axis,
                reduce=unit == 1,
                reg=reg,
                bn_epsilon=bn_epsilon,
                bn_momentum=bn_momentum,
                order=order,
                name=f"stage{stage}_unit{unit}",
            )
    final = LayerMaker("final", axis, reg, bn_epsilon, bn_momentum)
    x = final.through(ORDERS[order].before, x)
    return keras.Model(image, classifier(x, classes, reg, final.data_format), name="resnet")


def _with_article_names(function: Callable[..., Any], **ours: str) -> Callable[..., Any]:
    """The function, which takes keywords by the article's names as well: ``article=ours``."""

    @functools.wraps(function)
    def either(*arguments: Any, **keywords: Any) -> Any:
        for name in ours.keys() & keywords.keys():
            if ours[name] in keywords:
                raise ValueError(
                    f"{ours[name]} is the article's {name} and must be given once, received "
                    f"{ours[name]}={keywords[ours[name]]!r} and {name}={keywords[name]!r}"
                )
            keywords[ours[name]] = keywords.pop(name)
        return function(*arguments, **keywords)

    return either


_BN_NAMES = {"bnEps": "bn_epsilon", "bnMom": "bn_momentum"}
_MODULE_NAMES = {"K": "filters", "chanDim": "channel_axis", "red": "reduce"}


class ResNet:
    """The article's two functions under the class its readers look for: ``ResNet.build(...)``.

    Keywords may be spelt as in the article: ``K`` for ``filters``, ``chanDim`` for
    ``channel_axis``, ``red`` for ``reduce``, ``bnEps`` and ``bnMom`` for ``bn_epsilon`` and
    ``bn_momentum``.
    """

    residual_module = staticmethod(
        _with_article_names(residual_module, **_MODULE_NAMES, **_BN_NAMES)
    )
    build = staticmethod(_with_article_names(build, **_BN_NAMES))
