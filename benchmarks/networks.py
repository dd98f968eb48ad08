"""The networks whose training is timed, as data: each framework builds them in its own way."""

RATE, MOMENTUM, DECAY = 0.01, 0.9, 1e-4  # the L2 strength; a weight decay of twice as much
CLASSES = 10
ARTICLE = {"stages": (3, 4, 6), "filters": (64, 128, 256, 512)}


def keras_model(options):
    """The package's network."""
    from resnet_lesson import ResNet, build_cifar

    size = options["size"]
    if options["network"] == "ResNet-20":
        return build_cifar(20, input_shape=(size, size, 3), classes=CLASSES, reg=DECAY)
    return ResNet.build(size, size, 3, CLASSES, **ARTICLE, reg=DECAY)


def modules(network):
    """Name, input channels, (filters, size, stride) of each convolution, whether it projects."""
    if network == "ResNet-20":
        units, filters, channels = (3, 3, 3), (16, 32, 64), 16
    else:
        units, (channels, *filters) = ARTICLE["stages"], ARTICLE["filters"]
    for stage, (count, width) in enumerate(zip(units, filters, strict=True), start=1):
        for unit in range(1, count + 1):
            stride = 2 if unit == 1 and stage > 1 else 1
            if network == "ResNet-20":
                convolutions = [(width, 3, stride), (width, 3, 1)]
            else:
                quarter = width // 4
                convolutions = [(quarter, 1, 1), (quarter, 3, stride), (width, 1, 1)]
            yield f"stage{stage}_unit{unit}", channels, convolutions, channels != width
            channels = width
