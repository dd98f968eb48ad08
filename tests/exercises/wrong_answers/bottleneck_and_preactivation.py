"""Answers that learners give, and the Mistake that each should get."""

import numpy as np

from resnet_lesson import stack_gradients
from resnet_lesson.runtime import keras

layers = keras.layers
SIZES = [(4, 1), (4, 3), (16, 1)]


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


def read(**others):
    return lambda: {"first": "e", "second": "a", "third": "b"} | others


def modules(choose=np.argmin, shift=1, of=lambda wire: wire[:-1] / wire[1:], seeds=(0, 1, 2)):
    """For each seed the module that is chosen by what it leaves."""

    def module(seed):
        wire = {"kind": "basic", "normalization": True, "shortcut": True, "shortcut_only": True}
        stack = stack_gradients(54, order="bn_after_addition", seed=seed, **wire)
        return choose(of(stack.signal_gradient)) + shift

    return lambda: {seed: module(seed) for seed in seeds}


def from_the_loss(left):
    return len(left) - np.argmin(left) - 1


WRONG = {
    "linear": [
        ("as with ReLU", "cuts no number off", lambda: 0.31),
        ("as (b)", "BN layers are on the", lambda: 1e-6),
        ("some of it", "one after the other", lambda: 0.5),
        ("more than all", "per cent", lambda: 100),
        ("no share", "no size is negative", lambda: -0.5),
        ("kind", "pass a number", lambda: "all of it"),
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
    "which_order": [
        ("first as a", "returns the sum as it is", read(first="a")),
        ("first as c", "ends in a ReLU", read(first="(c)")),
        ("first as d", "touches `x` first", read(first="relu_only_preactivation")),
        ("first as b", "other parts on its wire", read(first="b")),
        ("second as b", "on the branch", read(second="BN after addition")),
        ("second as c", "gets the sum", read(second="C")),
        ("second as e", "convolution reads `x` first", read(second="full pre-activation")),
        ("third as a", "acts on the sum", read(third="a")),
        ("third as e", "attention reads `x` first", read(third="(e) full preactivation")),
        ("kind", "such as", read(third="post-LN")),
        ("kind", "a dict of three", lambda: "eab"),
    ],
    "shares": [
        ("few seeds", "several", modules(seeds=(0, 1))),
        ("counted from 0", "counted from 1", modules(shift=0)),
        ("leaves most", "takes most", modules(np.argmax)),
        ("least arrives", "another question", modules(of=lambda wire: wire)),
        ("counted from the loss", "from the loss", modules(from_the_loss)),
        ("other module", "leaves less", lambda: dict.fromkeys((0, 1, 2), 27)),
        ("no module", "1 to 54", lambda: dict.fromkeys((0, 1, 2), 0.75)),
    ],
    "sixth_order": [
        ("one of the five", "(c), ReLU before addition", lambda: "cnrcnr+"),
        ("on the wire", "every module before", lambda: "rncrc+n"),
        ("on the wire", "every module before", lambda: "cnr+cnr"),
        ("ReLU ends the branch", "can only add", lambda: "ncrcnr+"),
        ("ReLU before the last norm", "do not cancel", lambda: "cnrcrn+"),
        ("no ReLU between", "double the mean", lambda: "nrnrcc+"),
        ("other parts", "same parts", lambda: "cnrcn+"),
        ("kind", "a word", lambda: 6),
    ],
}
