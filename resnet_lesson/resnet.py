"""Residual networks in Keras: the module, the article's network and He's CIFAR family.

The module is the bottleneck of He et al. 2016, *Identity Mappings in Deep Residual Networks*
(arXiv 1603.05027), in any of the five orders of its figure 4. The article whose network
``build`` makes leaves Keras's Glorot initialiser in place; we use He's, made for ReLU.
"""

import functools
from numbers import Real

from .architecture import (
    ORDERS,
    bottleneck_convolutions,
    check_bottleneck_filters,
    check_halvings,
    check_list,
    check_order,
    check_positive,
    checked,
)
from .runtime import has_gpu, keras

layers = keras.layers


class _Maker:
    """Makes the layers of one module, all alike in axis, strength and names."""

    def __init__(self, name, channel_axis, reg, bn_epsilon, bn_momentum):
        self.name, self.axis, self.reg = name, channel_axis, reg
        self.bn_epsilon, self.bn_momentum = bn_epsilon, bn_momentum
        self.data_format = "channels_first" if channel_axis == 1 else "channels_last"
        self.counts = {"bn": 0, "relu": 0}

    def place(self, part):
        """The name of a part, or None: Keras then makes one up."""
        return self.name and f"{self.name}_{part}"

    def norm_relu(self, x, parts):
        """(B, H, W, C) -> the same, through the parts: "n" a norm, "r" a ReLU, in order."""
        for part in parts:
            kind = "bn" if part == "n" else "relu"
            self.counts[kind] += 1
            name = f"{kind}{self.counts[kind]}"
            x = self.norm(x, name) if part == "n" else layers.ReLU(name=self.place(name))(x)
        return x

    def norm(self, x, part):
        return layers.BatchNormalization(
            axis=self.axis,
            momentum=self.bn_momentum,
            epsilon=self.bn_epsilon,
            name=self.place(part),
        )(x)

    def conv(self, x, filters, size, stride, part):
        return layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="same",
            use_bias=False,  # the norm's offset makes a bias redundant
            data_format=self.data_format,
            kernel_initializer="he_normal",
            kernel_regularizer=keras.regularizers.L2(self.reg),
            name=self.place(part),
        )(x)


def _module(x, convolutions, reduce, order, shortcut, maker):
    """One residual module; ``convolutions`` lists (filters, size, stride), input side first."""
    parts = ORDERS[order]
    filters = convolutions[-1][0]
    total_stride = max(stride for _, _, stride in convolutions)
    branch = activated = maker.norm_relu(x, parts["before"])
    for number, (width, size, stride) in enumerate(convolutions, start=1):
        if number > 1:
            branch = maker.norm_relu(branch, parts["before"])
        branch = maker.conv(branch, width, size, stride, f"conv{number}")
        is_last = number == len(convolutions)
        branch = maker.norm_relu(branch, parts["last"] if is_last else parts["after"])
    if shortcut and reduce:
        x = maker.conv(activated, filters, 1, total_stride, "projection")
        if "n" in parts["last"]:  # where the branch ends in a norm, its partner does too
            x = maker.norm(x, "projection_bn")
    if shortcut:
        branch = layers.Add(name=maker.place("add"))([branch, x])
    return maker.norm_relu(branch, parts["sum"])


def residual_module(
    data,
    filters,
    stride=1,
    channel_axis=-1,
    reduce=False,
    reg=1e-4,
    bn_epsilon=2e-5,
    bn_momentum=0.9,
    *,
    order="full_preactivation",
    shortcut=True,
    name=None,
):
    """The bottleneck module: (B, H, W, C) -> (B, H/stride, W/stride, filters).

    Convolutions of 1x1, 3x3 and 1x1; the first two have ``filters / 4`` filters, the 3x3 has
    the stride. None has a bias.

    Args:
        data: symbolic Keras tensor with known channels.
        filters: filters of the last convolution, a multiple of 4.
        stride: a number, or a pair of equal ones.
        channel_axis: -1 or 3 for channels last, 1 for channels first (GPU only).
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
    stride = _check_stride(stride)
    channel_axis = _check_channel_axis(channel_axis)
    _check_flag("reduce", reduce)
    _check_flag("shortcut", shortcut)
    check_order(order)
    _check_norms(reg, bn_epsilon, bn_momentum)
    _check_name(name)
    _check_input(data, filters, stride, channel_axis, needs_same_shape=shortcut and not reduce)
    maker = _Maker(name, channel_axis, reg, bn_epsilon, bn_momentum)
    return _module(data, bottleneck_convolutions(filters, stride), reduce, order, shortcut, maker)


def _basic(filters, stride):
    return [(filters, 3, stride), (filters, 3, 1)]


def build(
    width,
    height,
    depth,
    classes,
    stages,
    filters,
    reg=1e-4,
    bn_epsilon=2e-5,
    bn_momentum=0.9,
    *,
    order="full_preactivation",
):
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
    width, height, depth, classes, stages, filters = checked(
        width, height, depth, classes, stages, filters, order
    )
    _check_norms(reg, bn_epsilon, bn_momentum)
    data_format = keras.config.image_data_format()
    channels_last = data_format == "channels_last"
    axis = _check_channel_axis(-1 if channels_last else 1)

    stem = _Maker("stem", axis, reg, bn_epsilon, bn_momentum)
    shape = (height, width, depth) if channels_last else (depth, height, width)
    image = x = keras.Input(shape, name="image")
    x = stem.norm_relu(x, "n")
    x = stem.conv(x, filters[0], 5, 1, "conv")
    x = stem.norm_relu(x, "nr")
    x = layers.ZeroPadding2D(1, data_format=data_format, name="stem_padding")(x)
    x = layers.MaxPooling2D(3, 2, data_format=data_format, name="stem_pool")(x)
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
    final = _Maker("final", axis, reg, bn_epsilon, bn_momentum)
    x = final.norm_relu(x, ORDERS[order]["before"])
    return keras.Model(image, _classifier(x, classes, reg, data_format), name="resnet")


def _spelt(function, **ours):
    """The function, which takes keywords by the article's names as well: ``article=ours``."""

    @functools.wraps(function)
    def either(*arguments, **keywords):
        for name in ours.keys() & keywords.keys():
            if ours[name] in keywords:
                raise ValueError(
                    f"{ours[name]} is the article's {name} and must be given once, received "
                    f"{ours[name]}={keywords[ours[name]]!r} and {name}={keywords[name]!r}"
                )
            keywords[ours[name]] = keywords.pop(name)
        return function(*arguments, **keywords)

    return either


_NORMS = {"bnEps": "bn_epsilon", "bnMom": "bn_momentum"}


class ResNet:
    """The article's two functions under the class its readers look for: ``ResNet.build(...)``.

    Keywords may be spelt as in the article: ``K`` for ``filters``, ``chanDim`` for
    ``channel_axis``, ``red`` for ``reduce``, ``bnEps`` and ``bnMom`` for ``bn_epsilon`` and
    ``bn_momentum``.
    """

    residual_module = staticmethod(
        _spelt(residual_module, K="filters", chanDim="channel_axis", red="reduce", **_NORMS)
    )
    build = staticmethod(_spelt(build, **_NORMS))


def build_cifar(
    depth,
    *,
    order="full_preactivation",
    bottleneck=False,
    shortcut=True,
    stages=3,
    base_filters=16,
    input_shape=(32, 32, 3),
    classes=10,
    reg=1e-4,
):
    """He's CIFAR family: images (B, *input_shape) -> probabilities (B, classes).

    A 3x3 stem, three stages of ``base_filters`` times 1, 2 and 4 filters (times 4 more with
    bottlenecks), the first module of the second and third stage of stride 2. The shortcut is
    projected where the shape changes; He et al. 2015 used parameter-free shortcuts there, which
    makes ours 2,560 parameters larger with basic modules and 16 base filters.

    He et al. 2016 let the first module's shortcut begin behind the stem's activation. So it does
    here, but for basic modules in the two pre-activation orders: there it leaves the stem before
    its ReLU (in ``"full_preactivation"`` the bare convolution), and the branch alone is activated.

    Args:
        depth: 6n + 2 with basic modules (two 3x3), 9n + 2 with bottlenecks; with other than three
            stages, 2 more than a multiple of the stages' convolutions.
        order: one of the five orders of He et al. 2016, figure 4.
        bottleneck: bottlenecks instead of basic modules.
        shortcut: False leaves every shortcut out: the plain twin.
        stages: 3 in the papers. With basic modules, a single stage has one identity wire from
            the stem to the end.
        base_filters: filters of the stem.
        input_shape: (H, W, C), channels last.
        classes: number of classes.
        reg: L2 strength of every convolution and the classifier.

    Returns:
        An uncompiled ``keras.Model`` named after its kind and depth.

    Raises:
        ValueError: names the rule and the value, before any layer is made.

    Sources: He et al. 2015, arXiv 1512.03385, section 4.2; He et al. 2016, arXiv 1603.05027.
    """
    _check_flag("bottleneck", bottleneck)
    _check_flag("shortcut", shortcut)
    check_order(order)
    depth, stages = check_positive("depth", depth), check_positive("stages", stages)
    per_unit = (3 if bottleneck else 2) * stages
    if depth < per_unit + 2 or (depth - 2) % per_unit:
        kind = "bottlenecks" if bottleneck else "basic modules"
        raise ValueError(
            f"depth must be {per_unit}n + 2 with {kind}, n at least 1, received {depth}"
        )
    base_filters = check_positive("base_filters", base_filters)
    input_shape = check_list("input_shape", input_shape, check_positive)
    if len(input_shape) != 3:
        raise ValueError(f"input_shape must be (height, width, channels), received {input_shape}")
    classes = check_positive("classes", classes)
    bn_epsilon, bn_momentum = 2e-5, 0.9
    _check_norms(reg, bn_epsilon, bn_momentum)
    check_halvings(input_shape[1], input_shape[0], stages - 1)

    def maker(name):
        return _Maker(name, -1, reg, bn_epsilon, bn_momentum)

    parts = ORDERS[order]
    stem, final = maker("stem"), maker("final")
    image = keras.Input(input_shape, name="image")
    x = stem.conv(image, base_filters, 3, 1, "conv")
    # Before the first module and after the last stands what a module of this order leaves out.
    x = stem.norm_relu(x, parts["after"])
    channels = base_filters
    for stage in range(1, stages + 1):
        filters = base_filters * 2 ** (stage - 1) * (4 if bottleneck else 1)
        for unit in range(1, (depth - 2) // per_unit + 1):
            stride = 2 if unit == 1 and stage > 1 else 1
            convolutions = (bottleneck_convolutions if bottleneck else _basic)(filters, stride)
            reduce = stride > 1 or channels != filters
            unit_maker = maker(f"stage{stage}_unit{unit}")
            x = _module(x, convolutions, reduce, order, shortcut, unit_maker)
            channels = filters
    x = final.norm_relu(x, parts["before"])
    kind = "resnet" if shortcut else "plain"
    return keras.Model(image, _classifier(x, classes, reg, "channels_last"), name=f"{kind}{depth}")


def wire(model):
    """Where the modules of a network of ``build_cifar`` begin: basic ones, in full pre-activation.

    Returns:
        The modules' names, input side first, and the tensors at their inputs, followed by that at
        the input of what stands after the last.
    """
    ends = [layer.name for layer in model.layers if layer.name.endswith("_conv2")]
    names = [end.removesuffix("_conv2") for end in ends]
    return names, [model.get_layer(f"{place}_bn1").input for place in [*names, "final"]]


def _classifier(x, classes, reg, data_format):
    """(B, H, W, C) -> (B, classes): the mean over the image, a dense layer, softmax."""
    x = layers.GlobalAveragePooling2D(data_format=data_format, name="global_pool")(x)
    x = layers.Dense(classes, kernel_regularizer=keras.regularizers.L2(reg), name="classifier")(x)
    # float32 also under mixed precision: half precision rounds small probabilities to zero.
    return layers.Activation("softmax", dtype="float32", name="softmax")(x)


def _check_stride(stride):
    pair = tuple(stride) if isinstance(stride, (list, tuple)) else (stride, stride)
    if len(pair) != 2 or pair[0] != pair[1]:
        raise ValueError(f"stride must be a number or a pair of equal ones, received {stride!r}")
    return check_positive("stride", pair[0])


def _check_channel_axis(axis):
    if isinstance(axis, bool) or axis not in (-1, 1, 3):
        raise ValueError(
            f"channel_axis must be -1 or 3 (channels last) or 1 (channels first), received {axis!r}"
        )
    if axis == 1 and not has_gpu():
        raise ValueError(
            "channels first (channel_axis 1) needs a GPU: TensorFlow's convolutions on a CPU take "
            "channels last only, received channel_axis=1 on a CPU"
        )
    return int(axis)


def _check_flag(what, value):
    if not isinstance(value, bool):
        raise ValueError(f"{what} must be True or False, received {value!r}")


def _check_norms(reg, bn_epsilon, bn_momentum):
    def number(value):
        return isinstance(value, Real) and not isinstance(value, bool)

    if not number(reg) or not 0 <= reg < float("inf"):
        raise ValueError(f"reg must be a number of at least 0, received {reg!r}")
    if not number(bn_epsilon) or not 0 < bn_epsilon < float("inf"):
        raise ValueError(f"bn_epsilon must be a positive number, received {bn_epsilon!r}")
    if not number(bn_momentum) or not 0 <= bn_momentum < 1:
        raise ValueError(
            f"bn_momentum must be at least 0 and less than 1, received {bn_momentum!r}"
        )


def _check_name(name):
    if name is not None and (not isinstance(name, str) or not name or "/" in name):
        raise ValueError(f"name must be a non-empty string without '/', received {name!r}")


def _check_input(data, filters, stride, channel_axis, needs_same_shape):
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
