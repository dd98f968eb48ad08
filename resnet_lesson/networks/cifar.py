"""Networks after He's CIFAR family, in any of the five orders, and their plain twins."""

from collections.abc import Sequence

from ..backend import keras
from ..checks import check_flag, check_integer
from .layers import LayerMaker, classifier
from .orders import ORDERS, basic_convolutions, bottleneck_convolutions
from .residual import module
from .rules import check_halvings, check_list, check_order, modules_per_stage


def build_cifar(
    depth: int,
    *,
    order: str = "full_preactivation",
    bottleneck: bool = False,
    shortcut: bool = True,
    stages: int = 3,
    base_filters: int = 16,
    input_shape: Sequence[int] = (32, 32, 3),
    classes: int = 10,
    reg: float = 1e-4,
) -> keras.Model:
    """A network after He's CIFAR family: ``(B, *input_shape)`` -> probabilities ``(B, classes)``.

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
    check_flag("bottleneck", bottleneck)
    check_flag("shortcut", shortcut)
    check_order(order)
    units = modules_per_stage(depth, stages, bottleneck)
    base_filters = check_integer("base_filters", base_filters)
    input_shape = check_list("input_shape", input_shape)
    if len(input_shape) != 3:
        raise ValueError(f"input_shape must be (height, width, channels), received {input_shape}")
    classes = check_integer("classes", classes)
    check_halvings(input_shape[1], input_shape[0], stages - 1)

    def maker(name: str) -> LayerMaker:
        return LayerMaker(name, -1, reg)

    convolutions = bottleneck_convolutions if bottleneck else basic_convolutions
    parts = ORDERS[order]
    stem, final = maker("stem"), maker("final")
    image = keras.Input(input_shape, name="image")
    x = stem.conv(image, base_filters, 3, name="conv")
    x = stem.through(parts.after_stem, x)
    channels = base_filters
    for stage in range(1, stages + 1):
        filters = base_filters * 2 ** (stage - 1) * (4 if bottleneck else 1)
        for unit in range(1, units + 1):
            stride = 2 if unit == 1 and stage > 1 else 1
            x = module(
                x,
                convolutions(filters, stride),
                order,
                maker(f"stage{stage}_unit{unit}"),
                reduce=stride > 1 or channels != filters,
                shortcut=shortcut,
            )
            channels = filters
    x = final.through(parts.before, x)
    kind = "resnet" if shortcut else "plain"
    return keras.Model(image, classifier(x, classes, reg, "channels_last"), name=f"{kind}{depth}")
