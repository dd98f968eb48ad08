"""Answers that learners give, and the Mistake that each should get."""

from resnet_lesson import stack_gradients
from resnet_lesson.runtime import keras

layers = keras.layers


def half(x, filters=16, **options):
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return conv(x, filters, **options)


def conv(x, filters, size=3, **options):
    return layers.Conv2D(filters, size, **{"padding": "same", "use_bias": False} | options)(x)


def lost(x, modules):
    for _ in range(modules):
        shortcut = x
        x = half(half(x))
        layers.add([shortcut, x])
    return x


def around_all(x, modules):
    shortcut = x
    for _ in range(modules):
        x = half(half(x))
    return x + shortcut


def first_input(x, modules):
    shortcut = x
    for _ in range(modules):
        x = half(half(x)) + shortcut
    return x


def kept_too_late(x, modules):
    for _ in range(modules):
        x = shortcut = layers.ReLU()(layers.BatchNormalization()(x))
        x = conv(x, 16)
        x = half(x) + shortcut
    return x


def twice(x, modules):
    for _ in range(modules):
        x = half(half(x)) + x + x
    return x


def inner(x, modules):
    for _ in range(modules):
        x = half(x)
        x = half(x) + x
    return x


def with_projection(x, modules):
    for _ in range(modules):
        x = half(half(x)) + conv(x, 16, 1)
    return x


def convolution_first(x, modules):
    for _ in range(modules):
        x = in_order("cnr" * 2)(x, 16)
    return x


def stacked(join):
    def stack(x, modules):
        for _ in range(modules):
            x = join(half(half(x)), x)
        return x

    return stack


def side_by_side(x, modules):
    return layers.concatenate([lost(x, modules), x])


def joined(join):
    return lambda x, filters: join(half(half(x, filters), filters), x)


def activated(x, filters):
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return half(conv(x, filters), filters) + x


def norm_behind(x, filters, end=layers.ReLU):
    branch = layers.ReLU()(layers.BatchNormalization()(conv(x, filters)))
    branch = layers.BatchNormalization()(conv(branch, filters))
    return end()(branch + x)


def in_order(parts):
    """A module whose branch has these parts: n for norm, r for ReLU, c for convolution."""

    def module(x, filters):
        branch = x
        for part in parts:
            if part == "c":
                branch = conv(branch, filters)
            else:
                branch = (layers.ReLU if part == "r" else layers.BatchNormalization)()(branch)
        return branch + x

    return module


def relu_first(x, filters):
    branch = x
    for _ in range(2):
        branch = conv(layers.BatchNormalization()(layers.ReLU()(branch)), filters)
    return branch + x


def biased(x, filters):
    return half(half(x, filters, use_bias=True), filters, use_bias=True) + x


def one_norm(x, filters):
    return conv(layers.ReLU()(half(x, filters)), filters) + x


def one_by_one(x, filters):
    return half(half(x, filters, size=1), filters) + x


def unpadded(x, filters):
    return half(half(x, filters, padding="valid"), filters, padding="valid")


def fixed_width(x, filters):
    return half(half(x, 16), x.shape[-1]) + x


def ratios(depths=(25, 50, 100), root=False, quantity="signal_gradient", upside_down=False, **on):
    options = {"normalization": True, "shortcut": True} | on

    def ratio(depth):
        norms = getattr(stack_gradients(depth, **options), quantity)
        ratio = norms[-1] / norms[0] if upside_down else norms[0] / norms[-1]
        return ratio ** (1 / (depth - 1)) if root else ratio

    return {depth: ratio(depth) for depth in depths}


WRONG = {
    "zero_start": [
        ("first", "stays the identity", lambda: "first"),
        ("either", "what the zero cuts off", lambda: "either"),
        ("neither", "Zeros are no trap", lambda: " Neither"),
        ("no choice", "four answers", lambda: "the second"),
        ("kind", "one of the words", lambda: 2),
    ],
    "overflow": [
        ("root forgotten", "a size that doubles", lambda: 16),
        ("natural logarithm", "2.7-fold", lambda: 11.1),
        ("natural logarithm", "no layer's factor", lambda: 22),
        ("adds up", "But a branch grows with the signal", lambda: 65_504),
        ("too many", "the large numbers come soon", lambda: 100),
        ("too few", "no larger", lambda: 5),
        ("no depth", "takes at least a layer", lambda: 0),
        ("kind", "pass a number", lambda: "many"),
    ],
    "stack": [
        ("never added", "answers zero, not its input", lambda: lost),
        ("outside the loop", "input of the whole stack", lambda: around_all),
        ("outside the loop", "does not add its own input", lambda: first_input),
        ("activated", "its input after BN and ReLU", lambda: kept_too_late),
        (
            "ReLU after",
            "zero where it is negative",
            lambda: stacked(lambda branch, x: layers.ReLU()(layers.add([branch, x]))),
        ),
        (
            "multiplied",
            "no +1",
            lambda: stacked(lambda branch, x: layers.multiply([branch, x])),
        ),
        ("concatenated", "makes 32", lambda: side_by_side),
        ("other parts", "nothing to train", lambda: with_projection),
        ("other sum", "does not hand its input on", lambda: twice),
        ("other sum", "does not hand its input on", lambda: inner),
        ("other branch", "`convolution, BN, ReLU", lambda: convolution_first),
    ],
    "basic": [
        ("never added", "plain layers", lambda: joined(lambda branch, x: branch)),
        ("activated", "Nothing may stand on the shortcut", lambda: activated),
        (
            "ReLU after",
            "stops the gradient",
            lambda: joined(lambda branch, x: layers.ReLU()(branch + x)),
        ),
        ("multiplied", "multiplies the input", lambda: joined(lambda branch, x: branch * x)),
        ("concatenated", "makes 32", lambda: joined(lambda *both: layers.concatenate(both))),
        ("BN behind", "the older order", lambda: norm_behind),
        ("BN behind", "ends in a BN", lambda: lambda x, n: norm_behind(x, n, layers.Identity)),
        ("other branch", "hands its input on", lambda: relu_first),
        ("other branch", "`convolution, BN, ReLU, convolution", lambda: in_order("cnr" * 2)),
        ("other branch", "so its shortcut is right", lambda: in_order("ncr" * 2)),
        ("other branch", "find the first part that differs", lambda: in_order("crn" * 2)),
        ("other branch", "`ReLU, convolution, BN", lambda: in_order("rcn" * 2)),
        (
            "other sum",
            "what else touches the input",
            lambda: joined(lambda branch, x: branch + layers.ReLU()(x)),
        ),
        ("bias", "2 more vectors", lambda: biased),
        ("BN layers", "has 1 BN layer.", lambda: one_norm),
        ("convolutions", "has 1 kernel of", lambda: lambda x, filters: half(x, filters) + x),
        ("kernel size", "`(1, 1)` and `(3, 3)`", lambda: one_by_one),
        ("other shape", "`(4, 4, 16)`", lambda: unpadded),
        ("filters ignored", "asked for 8 filters", lambda: fixed_width),
    ],
    "depth": [
        ("few depths", "over a range of depths", lambda: ratios((49, 50, 51))),
        ("upside down", "gets larger", lambda: ratios(upside_down=True)),
        ("a layer", "Whether these do", lambda: ratios(root=True)),
        ("explodes", "without the BN layers", lambda: ratios(normalization=False)),
        ("explodes", "what is off unless named", lambda: ratios(shortcut=False)),
        ("other ratio", "not that of the weights", lambda: {25: 1.0, 50: 1.0, 100: 1.0}),
        ("other ratio", "For depth 50 you give `1`", lambda: ratios() | {50: 1.0}),
        ("kind", "a dict of depths", lambda: [8, 13, 24]),
    ],
}
