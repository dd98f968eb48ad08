"""Answers that learners give, and the Mistake that each should get."""

from resnet_lesson import residual_module, stack_gradients
from resnet_lesson.runtime import keras

layers = keras.layers
SIZES = [(4, 1), (4, 3), (16, 1)]


def resnet_164(squares, modules=18):
    """Weights of its modules, each of this many times the square of its width."""
    return modules * squares * (64**2 + 128**2 + 256**2)


def module(before, after, last, behind, sizes=SIZES, shortcut=True, bias=False):
    """A module with these layers ("n" is BN, "r" ReLU) about each convolution and after the sum."""

    def through(x, parts):
        for part in parts:
            x = (layers.BatchNormalization() if part == "n" else layers.ReLU())(x)
        return x

    def unit(x):
        branch = x
        for number, (filters, size) in enumerate(sizes, start=1):
            branch = through(branch, before)
            branch = layers.Conv2D(filters, size, padding="same", use_bias=bias)(branch)
            branch = through(branch, last if number == len(sizes) else after)
        return through(layers.add([x, branch]) if shortcut else branch, behind)

    return lambda: unit


def of_order(order):
    return lambda: lambda x: residual_module(x, 16, order=order)


def shares(root, upside_down=False, lost=False, modules=(10, 20, 40)):
    def share(depth):
        wire = {"kind": "basic", "normalization": True, "shortcut": True, "shortcut_only": True}
        gradient = stack_gradients(depth, order="bn_after_addition", **wire).signal_gradient
        ends = gradient[-1] / gradient[0] if upside_down else gradient[0] / gradient[-1]
        left = ends ** (1 / root(depth))
        return 1 - left if lost else left

    return lambda: {depth: share(depth) for depth in modules}


def steps(depth):
    return depth - 1


WRONG = {
    "linear": [
        ("as with ReLU", "no entry is cut", lambda: 0.31),
        ("as (b)", "norm is on the", lambda: 1e-6),
        ("some of it", "one after the other", lambda: 0.5),
        ("more than all", "per cent", lambda: 100),
        ("no share", "no size is negative", lambda: -0.5),
        ("kind", "pass a number", lambda: "all of it"),
    ],
    "parameters": [
        ("basic", "two 3x3", lambda: resnet_164(18)),
        ("three 3x3", "full width of the wire", lambda: resnet_164(27)),
        ("3x3 at full width", "squeezing first", lambda: resnet_164(9.5)),
        ("quarter on one side", "on one side", lambda: resnet_164(2.75)),
        ("one 1x1 short", "left out", lambda: resnet_164(13 / 16)),
        ("3x3 as 1x1", "a single pixel", lambda: resnet_164(9 / 16)),
        ("54 in each stage", "the whole network", lambda: resnet_164(17 / 16, modules=54)),
        ("too few", "It has more", lambda: 1e5),
        ("too many", "It has fewer", lambda: 1e8),
    ],
    "bottleneck": [
        ("ReLU on the wire", "does not get through", module("nr", "", "", "r")),
        ("wire changed", "still acts", module("nr", "", "", "n")),
        ("no shortcut", "no wire any more", module("nr", "", "", "", shortcut=False)),
        ("ReLU ends the branch", "can only add", module("nr", "", "r", "")),
        ("bias", "an offset of its own", module("nr", "", "", "", bias=True)),
        ("another branch", "change as little", module("rn", "", "", "")),
        ("convolutions", "squeezes", module("nr", "", "", "", sizes=[(16, 3), (16, 3)])),
        ("shape", "every `padding`", lambda: lambda x: layers.Conv2D(16, 3)(x)),
    ],
    "relu_only": [
        ("original", "(a)", of_order("original")),
        ("bn_after_addition", "A norm and a ReLU", of_order("bn_after_addition")),
        ("relu_before_addition", "can only add", of_order("relu_before_addition")),
        ("full_preactivation", "what each convolution gets", of_order("full_preactivation")),
        ("no shortcut", "a plain network", module("r", "n", "n", "", shortcut=False)),
        ("norms", "2 batch normalisations", module("r", "n", "", "")),
        ("another order", "arrow a line", module("", "rn", "rn", "")),
        ("bias", "leave biases out", module("r", "n", "n", "", bias=True)),
    ],
    "shares": [
        ("few depths", "over a range", shares(steps, modules=(10, 11, 12))),
        ("end to end", "of any depth", shares(lambda depth: 1)),
        ("grows", "which end", shares(steps, upside_down=True)),
        ("a layer", "each convolution", shares(lambda depth: 2 * (depth - 1))),
        ("what is lost", "what a module takes", shares(steps, lost=True)),
        ("other share", "check the order", lambda: {10: 0.5, 20: 0.5, 40: 0.5}),
        ("other share", "For 20 modules you give `0.5`", lambda: shares(steps)() | {20: 0.5}),
    ],
}
