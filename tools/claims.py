"""What the lesson claims, notebook by notebook, and the comparisons that hold each claim.

``python tools/claims.py`` reads the list aloud, each claim with what was compared. The section
"Take along" at the end of a notebook has some of its claims, word for word.
"""

import sys
from dataclasses import dataclass

from comparison import Comparison, Runs, table


@dataclass(frozen=True)
class Claim:
    """Words for a reader, and the comparisons that all have to hold for them to be true."""

    words: str
    comparisons: tuple[Comparison, ...]


def claim(words: str, *comparisons: Comparison) -> Claim:
    assert comparisons, f"nothing holds this claim: {words}"
    return Claim(" ".join(words.split()), comparisons)


# ---------------------------------------------------------------- 1, vanishing gradients


def stacks(measure: str, activation: str, **switches: object) -> Runs:
    """Stacks of a hundred convolutions, before any training."""
    return Runs("initialisation", measure, {"activation": activation, "depth": 100} | switches)


BARE = {"normalization": False, "shortcut": False}
WITH_BN = {"normalization": True, "shortcut": False}
WITH_BOTH = {"normalization": True, "shortcut": True}
GLOROT, HE = {"initializer": "glorot"}, {"initializer": "he"}
OF_2015 = Runs("initialisation", "log10_ratio", {"activation": "relu"} | WITH_BN | HE)

VANISHING = [
    claim(
        """A hundred sigmoid layers without batch normalisation or shortcuts lose the gradient. On
        average each layer leaves less than a third of it, and in thirty layers or more it is
        exactly zero in 32-bit numbers.""",
        Comparison(1 / 3, stacks("factor", "sigmoid", **BARE)),
        Comparison(stacks("zeros", "sigmoid", **BARE), 30),
    ),
    claim(
        """For ReLU, the starting weights make the difference. In a hundred layers the gradient
        falls by at most three powers of ten with He's weights, and by sixteen or more with
        Glorot's.""",
        Comparison(stacks("log10_ratio", "relu", **BARE | HE), -3),
        Comparison(-16, stacks("log10_ratio", "relu", **BARE | GLOROT)),
    ),
    claim(
        """Batch normalisation keeps the signal at one size, but not the gradient. In a hundred
        plain ReLU layers the gradient grows toward the input, a million times or more, with
        Glorot's weights and with He's.""",
        Comparison(stacks("log10_ratio", "relu", **WITH_BN), 6),
        Comparison(0.5, stacks("signal_log10_growth", "relu", **WITH_BN)),
        Comparison(stacks("signal_log10_growth", "relu", **WITH_BN), -0.5),
    ),
    claim(
        """With batch normalisation and shortcuts the gradient still grows toward the input, but
        far less: at most thirty times in a hundred layers.""",
        Comparison(stacks("log10_ratio", "relu", **WITH_BOTH), 0),
        Comparison(1.48, stacks("log10_ratio", "relu", **WITH_BOTH)),
        Comparison(
            stacks("log10_ratio", "relu", **WITH_BN),
            stacks("log10_ratio", "relu", **WITH_BOTH),
            by=4,
        ),
    ),
    claim(
        """A plain network of 2015, with ReLU, He's weights and batch normalisation, starts with a
        gradient that does not vanish. In each of fifteen runs, of 20 to 100 layers, the gradient at
        the first layer is at least twenty times as large as at the last.""",
        Comparison(OF_2015, 1.302),
    ),
]

# ---------------------------------------------------------------- 2, the identity shortcut


def digits(measure: str, shortcut: bool, **where: object) -> Runs:
    """Networks that were trained on digits; of 56 layers, for ten epochs."""
    settings = {"shortcut": shortcut, "depth": 56, "epochs": 10}
    return Runs("degradation", measure, settings | where)


def copied(**where: object) -> Runs:
    """Training errors of plain networks that were built by hand and trained on."""
    return Runs("plain_copy", "train_error", where)


def unnormalised(variant: str, clip: float | None = None) -> Runs:
    """Training errors of residual networks without BN; all is wrong where one diverged."""
    where = {"part": "training", "variant": variant, "epochs": 40, "clip": clip}
    return Runs("near_identity", "train_error", where)


EACH_WAY = ("learning_rate", "warmup", "seed")
WARMED_UP = {"warmup": 2, "learning_rate": 0.1}
SHORTCUT = [
    claim(
        """A plain network of 56 layers that is as good as a trained one of 8 layers can be built by
        hand. Every test digit gets the same answer from both.""",
        Comparison(Runs("plain_copy", "same_answers", {"epochs": 0}), 1),
    ),
    claim(
        """After ten epochs of training, the plain network of 56 layers makes more mistakes than the
        plain network of 8 layers, on the digits that both were trained on. This is degradation. We
        found it at every learning rate that was tried, with a warm-up and without.""",
        Comparison(
            digits("train_error", False), digits("train_error", False, depth=8), 30, per=EACH_WAY
        ),
    ),
    claim(
        """At each of these rates, the residual network of 56 layers has learned nearly all of them
        after ten epochs.""",
        Comparison(2, digits("train_error", True)),
        Comparison(digits("train_error", False), digits("train_error", True), 30, per=EACH_WAY),
    ),
    claim(
        """Time helps the plain network and does not make up for it: after forty epochs, at the best
        rate that was tried, it makes more mistakes than the residual network after ten.""",
        Comparison(
            digits("train_error", False, epochs=40).at_best(),
            digits("train_error", True, budget=40).at_best(),
            by=3,
        ),
        Comparison(
            digits("train_error", False, budget=40).at_best(),
            digits("train_error", False, epochs=40).at_best(),
            by=20,
        ),
    ),
    claim(
        """Before the first step, the plain network's first convolution behind the stem has a
        gradient at least 700 times as large as its last convolution; in the residual network it is
        less than twenty times as large.""",
        Comparison(digits("gradient_ratio", False), 700),
        Comparison(20, digits("gradient_ratio", True)),
    ),
    claim(
        """At a rate of 0.1, a warm-up does not save the plain network of 56 layers. In ten epochs
        the weights of its first convolution behind the stem still grow nine-fold or more, and those
        of the residual network less than two-fold. With the warm-up and without it, more than half
        of the training digits are then wrong.""",
        Comparison(digits("first_weight_growth", False, **WARMED_UP), 9),
        Comparison(2, digits("first_weight_growth", True, **WARMED_UP)),
        Comparison(digits("train_error", False, learning_rate=0.1), 60),
    ),
    claim(
        """The shortcut hands one term of the gradient back unchanged. The whole gradient of 27 new
        residual modules with batch normalisation is still largest near the input, ten times as
        large as at the last module, or more.""",
        Comparison(1.001, Runs("plus_one", "spread", {"network": "shortcuts_alone"})),
        Comparison(Runs("plus_one", "ratio", {"network": "residual"}), 10),
    ),
    claim(
        """Gradients that are level at the start are not enough: in the network that was built by
        hand those of all added kernels have one size. Yet one epoch at a rate of 0.03 loses its
        solution, and more than half of the training digits are wrong. At a hundredth of that rate
        the solution is kept, for ten epochs.""",
        Comparison(1.05, Runs("plain_copy", "gradient_range", {"epochs": 0})),
        Comparison(copied(epochs=1, learning_rate=0.03), 50),
        Comparison(1, copied(epochs=10, learning_rate=0.0003)),
    ),
    claim(
        """Without batch normalisation the bare sum of 56 layers learns nothing, at any rate that
        was tried. Two things mend that, each by itself: branches that start small, divided by the
        root of the number of modules or trained from zero, or a gradient that is clipped to a norm
        of 1. At the best rate, at most ten training digits in a hundred are then wrong after forty
        epochs.""",
        Comparison(unnormalised("sum"), 85),
        *(
            Comparison(10, unnormalised(variant).at_best())
            for variant in ("root_of_depth", "scalar_zero", "last_zero")
        ),
        Comparison(10, unnormalised("sum", clip=1.0).at_best()),
    ),
    claim(
        """In a new residual network of 110 layers with batch normalisation, the first branch has
        more than half of the variance of the sum that it goes into, and each of the last ten
        branches less than a thirtieth. The last modules start near the identity, and the first
        module does not.""",
        Comparison(Runs("near_identity", "branch_share", {"depth": 110, "module": 1}), 0.5),
        Comparison(
            1 / 30,
            Runs("near_identity", "branch_share", {"depth": 110, "module": tuple(range(45, 55))}),
        ),
    ),
]

# ---------------------------------------------------------------- 3, orders and bottlenecks

A, B, C = "original", "bn_after_addition", "relu_before_addition"
D, E = "relu_only_preactivation", "full_preactivation"


def order(
    measure: str, *names: str, depth: int = 110, part: str = "birth", **where: object
) -> Runs:
    return Runs("orders", measure, {"order": names, "depth": depth, "part": part} | where)


def trained(name: str, depth: int) -> Runs:
    """At the best of the rates that were tried."""
    return order("test_error", name, depth=depth, part="training").at_best()


def fast(name: str) -> Runs:
    """At the largest rate that was tried."""
    return order("test_error", name, part="training", learning_rate=0.3)


ORDERS = [
    claim(
        """What stands behind the addition stands on the wire. In new networks of 54 modules, the
        wire of (b) leaves less than a millionth of the gradient, the wire of (a) leaves about a
        third, and the wires of (c), (d) and (e) leave all of it.""",
        Comparison(-6, order("wire_log10_ratio", B)),
        Comparison(order("wire_log10_ratio", A), -0.6),
        Comparison(-0.4, order("wire_log10_ratio", A)),
        Comparison(order("wire_log10_ratio", C, D, E), -1e-3),
    ),
    claim(
        """A clean wire does not keep the signal at one size. The signal of (c), whose branches can
        only add, grows more than twice as much as the signal of (e).""",
        Comparison(order("growth", C), order("growth", E), times=2),
    ),
    claim(
        """With 110 layers, after ten epochs and with each order at the best of four rates, (b) and
        (c) make more mistakes on new digits than (a), (d) and (e), with every seed.""",
        *(
            Comparison(trained(bad, 110), trained(good, 110), by=20)
            for bad in (B, C)
            for good in (A, D, E)
        ),
    ),
    claim(
        """With 110 layers, (e) makes at most eight mistakes in a hundred at each of the four rates.
        At the largest rate, each of the other orders makes more mistakes than (e), with every
        seed.""",
        Comparison(8, order("test_error", E, part="training")),
        *(Comparison(fast(other), fast(E), by=9) for other in (A, B, C, D)),
    ),
    claim(
        """With 20 layers the order hardly matters, once each has the best of the four rates: none
        makes more than three mistakes in a hundred.""",
        *(Comparison(3, trained(name, 20)) for name in (A, B, C, D, E)),
    ),
    claim(
        """At equal width, a bottleneck has less than a tenth of the weights of a basic module.""",
        Comparison(
            Runs("modules", "weights", {"kind": "basic"}),
            Runs("modules", "weights", {"kind": "bottleneck"}),
            times=10,
        ),
    ),
]

# ---------------------------------------------------------------- 4, building the network


def projecting(reads: str, modules: int, **where: object) -> Runs:
    """Mistakes on new digits, in per cent, of networks whose projections read this tensor."""
    return Runs("projection", "test_error", {"reads": reads, "modules": modules} | where)


TO_0_3 = {"learning_rate": (0.01, 0.03, 0.1, 0.3)}


BUILDING = [
    claim(
        """Make the input of a projecting module a hundred times larger, in training mode. If the
        projection reads the activated input, as in the authors' code, the output changes by less
        than a thousandth of its size. If the projection reads the raw input, the output changes by
        more than ten times its size. The shapes and the parameter counts are the same.""",
        Comparison(1e-3, Runs("projections", "change", {"reads": "activated"})),
        Comparison(Runs("projections", "change", {"reads": "raw"}), 10),
    ),
    claim(
        """Good results do not tell which of the two you have built. With two modules a stage,
        neither makes more than three mistakes in a hundred new digits, at the best rate that was
        tried. With eight, the network that projects the raw input makes even fewer mistakes than
        ours, at four of the five rates.""",
        Comparison(3, projecting("activated", 2).at_best()),
        Comparison(3, projecting("raw", 2).at_best()),
        Comparison(
            projecting("activated", 8, **TO_0_3),
            projecting("raw", 8, **TO_0_3),
            per=("learning_rate",),
        ),
    ),
    claim(
        """A projection cuts the wire where the shape changes. As built here, that happens three
        times in the article's network and in ResNet-164, and twice in ResNet-20.""",
        *(
            Comparison(*sides)
            for name, count in (("article", 3), ("ResNet-164", 3), ("ResNet-20", 2))
            for runs in [Runs("networks", "projections", {"network": name, "stage": None})]
            for sides in ((runs, count), (count, runs))
        ),
    ),
    claim(
        """In the article's network the last stage has the most filters and the most modules. It
        holds more than three quarters of the parameters.""",
        Comparison(Runs("networks", "share", {"network": "article", "stage": "stage3"}), 0.75),
    ),
]

# ---------------------------------------------------------------- 5, training

FULL = {"epoch": 40, "epochs": 40, "learning_rate": 0.2, "weight_decay": 5e-4}
FULL |= {"padding": 4, "batch_size": 128}


def cifar(network: str, depth: int) -> Runs:
    """The share of its own training images that a network gets right, in the last epoch."""
    return Runs("cifar10", "accuracy", {"network": network, "depth": depth} | FULL)


TRAINING = [
    claim(
        """Degradation is there at full size, too. On CIFAR-10, with one recipe and one seed each, a
        plain network of 110 layers, while it trains, gets fewer of its own training images right
        than one of 56, and that one fewer than one of 20. The residual networks of 56 and 110
        layers get more right than that of 20.""",
        Comparison(cifar("plain", 56), cifar("plain", 110), by=0.3),
        Comparison(cifar("plain", 20), cifar("plain", 56), by=0.05),
        Comparison(cifar("residual", 110), cifar("residual", 20), by=0.02),
        Comparison(cifar("residual", 56), cifar("residual", 20), by=0.02),
    ),
    claim(
        """A small gradient does not make a frozen layer. In the network of six sigmoid layers, the
        first layer's gradient is less than a thousandth of the last's, with SGD and with Adam. Yet
        a step of Adam changes this layer by more than a thousandth of its size, and a step of SGD
        by less than a hundred-thousandth.""",
        Comparison(1e-3, Runs("sigmoid_layers", "gradient", {"layer": 1})),
        Comparison(Runs("sigmoid_layers", "update", {"layer": 1, "optimizer": "Adam"}), 1e-3),
        Comparison(1e-5, Runs("sigmoid_layers", "update", {"layer": 1, "optimizer": "SGD"})),
    ),
    claim(
        """A new network moves fast and then settles. With two convolutions and Adam, the first step
        changes each layer by more than five thousandths of its size. In the tenth epoch a step
        changes it by less than three thousandths, and about one thousandth is usual.""",
        Comparison(Runs("two_convolutions", "update", {"when": "first step"}), 5e-3),
        Comparison(3e-3, Runs("two_convolutions", "update", {"when": "epoch 10"})),
    ),
]

# ---------------------------------------------------------------- 6, inside a trained network


def without(modules: range, network: str = "residual", depth: int = 56) -> Runs:
    settings = {"part": "deletion", "network": network, "depth": depth, "module": tuple(modules)}
    return Runs("paths", "accuracy", settings)


def lesion(*modules: str) -> Runs:
    """The accuracy of the trained network for CIFAR-10 without one of these modules."""
    return Runs("lesions", "accuracy", {"deleted": modules})


NEEDED = ("stage1_unit1", "stage2_unit1", "stage3_unit1", "stage3_unit3")
SPARED = ("stage1_unit2", "stage1_unit3", "stage2_unit2", "stage2_unit3", "stage3_unit2")

INSIDE = [
    claim(
        """A trained residual network of 56 layers needs its first module and can spare each of the
        last nineteen of its 27 modules. If nothing else is changed, at most two test digits in ten
        are right without the first module, and at least nine in ten without any one of those
        nineteen.""",
        Comparison(0.2, without(range(1, 2))),
        Comparison(without(range(9, 28)), 0.9),
    ),
    claim(
        """A plain network of 20 layers needs every module. Without any one of them, at most one
        test digit in three is right, if nothing else is changed.""",
        Comparison(1 / 3, without(range(1, 10), "plain", 20)),
    ),
    claim(
        """In a residual network of 56 layers, most of the gradient takes short paths. Paths of at
        most eight branches are fewer than three in a hundred. Yet if we split the gradient of the
        trained network by the length of its paths, these few have more than nine tenths of the
        summed norms.""",
        Comparison(0.03, Runs("path_lengths", "within_8", {"of": "paths"})),
        Comparison(Runs("path_lengths", "within_8", {"of": "gradient", "epochs": 10}), 0.9),
    ),
    claim(
        """Which modules can go depends on the network and the task. In our network for CIFAR-10,
        four of the nine modules are needed, and the last module is one of them. Without any one of
        these four, fewer than two test images in ten are right. Without any one of the other five,
        more than half are right.""",
        Comparison(0.2, lesion(*NEEDED)),
        Comparison(lesion(*SPARED), 0.5),
    ),
]

CLAIMS = {
    "01_vanishing_gradients": VANISHING,
    "02_identity_shortcut": SHORTCUT,
    "03_bottleneck_and_preactivation": ORDERS,
    "04_building_resnet": BUILDING,
    "05_training": TRAINING,
    "06_inside_a_trained_network": INSIDE,
}


def main() -> int:
    failed = 0
    for notebook, claims in CLAIMS.items():
        print(f"\n{notebook}")
        for said in claims:
            print(f"\n  {said.words}")
            for comparison in said.comparisons:
                held = comparison.holds(table)
                failed += not held
                print(f"    {'holds' if held else 'FAILS'}: {comparison.told(table)}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
