"""Exercises of notebook 3: a wire, a bottleneck's arithmetic, a wire to clear, an order, shares."""

import functools
from typing import Any, NoReturn

import numpy as np

from ..gradients.stacks import stack_gradients
from ..networks.orders import ORDERS
from ..networks.residual import residual_module
from ..output import plain
from ..runtime import keras
from . import answers
from .tutor import Mistake, exercise, shown

SHAPE = (8, 8, 16)
KERNELS = [(1, 1, 16, 4), (3, 3, 4, 4), (1, 1, 4, 16)]  # of a bottleneck on this shape
LETTERS = dict(zip(ORDERS, "abcde", strict=True))
RESNET_164 = 1_703_258  # trainable parameters
# Options of a stack in which the shortcuts alone carry the gradient.
WIRE: dict[str, Any] = {
    "kind": "basic",
    "normalization": True,
    "shortcut": True,
    "shortcut_only": True,
}


@exercise(
    "In (a) the addition is followed by one thing only. What does it do to a gradient?",
    "The activation passes the gradient times its slope, module after module. Which slope has a "
    "linear one?",
)
def linear(share: Any) -> str:
    """What does (a)'s wire alone keep of the gradient, with a linear activation?"""
    given = answers.number(share)
    right = answers.end_ratio(54, order="original", activation="linear", **WIRE)
    if abs(given - right) < 0.02:
        return (
            f"Measured it is {plain(right)}: with nothing but the identity behind the addition the "
            "wire of (a) is as clean as that of (e). It is the ReLU that costs, and not that the "
            "norm stands behind the convolution: in (a) the norm is on the branch."
        )
    saw = f"You say that the wire of (a) keeps `{plain(given, 3)}` of the gradient."
    if given < 0:
        raise Mistake(
            "no share",
            saw,
            "A share says how large the gradient is that arrives, and no size is negative.",
            "divide the size at the first module by that at the last.",
            "a share is 0 where nothing arrives.",
        )
    if given > 1:
        raise Mistake(
            "more than all",
            saw,
            "That is more than was sent. With the branches closed nothing can be added on the way. "
            "(If you mean per cent: a share is a part of one.)",
            "ask what each module multiplies the gradient by, when its branch is closed.",
            "only what stands behind the addition multiplies it. How large can its slope be?",
        )
    if given < 0.01:
        raise Mistake(
            "as (b)",
            saw,
            "Nearly nothing is what (b) delivers, whose norm stands on the wire. In (a) the "
            "norm is on the branch, and the branch is closed.",
            "look at the first of the five diagrams: what lies behind its addition?",
            "cross out all that is on the branch, and see what is left of (a).",
        )
    if 0.25 <= given <= 0.4:
        raise Mistake(
            "as with ReLU",
            saw,
            "That is about what arrives with a ReLU behind every addition; here no entry is cut.",
            "replace the ReLU in (a)'s diagram, and follow the gradient back past one module.",
            "a ReLU has slope 0 or 1. Which slopes has the activation here?",
        )
    raise Mistake(
        "some of it",
        saw,
        "If a module took any part, 54 of them would take it one after the other.",
        "find what a single module takes, then raise what it leaves to the number of modules.",
        "the branches are closed, so only the activation behind the addition can take something.",
    )


@linear.solved_by
def share():
    slope = 1  # of a linear activation, which is all that (a) then has on its wire
    return slope**53  # from the last module to the first


@exercise(
    "How many modules has each stage? A bottleneck has three layers. Then count the weights of "
    "one bottleneck as a multiple of the square of its width.",
    "A convolution has (its size squared) times (channels in) times (channels out) weights. Inside "
    "a bottleneck both are a quarter of K for the 3x3, and one of them is for each 1x1.",
)
def parameters(count: Any) -> str:
    """How many parameters has ResNet-164, of bottlenecks?"""
    given = answers.number(count)
    if answers.near(given, RESNET_164):
        return (
            f"It has {RESNET_164:,}. The modules' convolutions are 97 per cent of them, and each "
            "bottleneck has 17/16 times the square of its width, where a basic module has 18 times "
            "that square."
        )

    def fits(squares: float) -> bool:
        """Whether a module has this many times the square of its width in weights."""
        # The layers outside the modules' convolutions add a little.
        modules = 18 * squares * (64**2 + 128**2 + 256**2)
        return 0.96 < given / modules < 1.06

    saw = f"You say `{given:,.0f}`."
    answers.explain(
        saw,
        (
            fits(18),
            "basic",
            "That is about what basic modules of these widths would have, with two 3x3 at full "
            "width.",
            "replace the basic module's two layers by the bottleneck's three.",
            "only one of the three is a 3x3, and it works inside the bottleneck.",
        ),
        (
            fits(27),
            "three 3x3",
            "That is about three 3x3 convolutions a module, at the full width of the wire.",
            "look up the sizes of a bottleneck's convolutions again.",
            "two of the three look at a single pixel.",
        ),
        (
            fits(1 / 4 + 9 + 1 / 4),
            "3x3 at full width",
            "That fits a 3x3 that works at the full width: but squeezing first is the whole idea.",
            "ask how many channels the 3x3 gets from the layer before it.",
            "what the first 1x1 makes, the 3x3 takes, and it makes no more of them.",
        ),
        (
            fits(1 / 4 + 9 / 4 + 1 / 4),
            "quarter on one side",
            "That fits a 3x3 with a quarter of the channels on one side and all on the other.",
            "write down the channels in and out of each of the three.",
            "it is the last layer that brings the channels back, and not the 3x3.",
        ),
        (
            fits(1 / 4 + 9 / 16),
            "one 1x1 short",
            "That fits a module with one of its 1x1 convolutions left out.",
            "follow the channels: down, through, and up again.",
            "a bottleneck has a convolution for each of the three.",
        ),
        (
            fits(1 / 4 + 1 / 16 + 1 / 4),
            "3x3 as 1x1",
            "That fits three convolutions of a single pixel.",
            "see how many pixels the middle one looks at.",
            "its kernel has a weight for each of nine pixels.",
        ),
        (
            fits(3 * 17 / 16),
            "54 in each stage",
            "That fits as many modules in each stage as the whole network has.",
            "divide the layers by those of a module, then the modules among the stages.",
            "three stages share the modules of 162 layers.",
        ),
    )
    few = given < RESNET_164
    raise Mistake(
        "too few" if few else "too many",
        saw,
        f"It has {'more' if few else 'fewer'}: what a bottleneck has grows with the square of its "
        "width, and the widest stage has three quarters of all.",
        "count one bottleneck first, of 64 channels, and compare with the lesson's table.",
        "the lesson's bottleneck of width 64 has 4,352 weights: how many has one of twice the "
        "width, and how many of each are there?",
    )


@parameters.solved_by
def count():
    modules = (164 - 2) // 3 // 3  # in each of the three stages
    squares = 1 / 4 + 9 / 16 + 1 / 4  # a bottleneck's weights over the square of its width
    return modules * squares * (64**2 + 128**2 + 256**2)


@exercise(
    "If the branch of a module has nothing to say, what should come out of the module? Let its "
    "last convolution be zero, and pass it a negative number.",
    "Compare with (e) in the figure of the five orders, part by part, from the addition onwards.",
)
def bottleneck(module: Any) -> str:
    """A pre-activation bottleneck with one fault: mend it."""
    model, x = _bottleneck(module), _inputs()
    silent, outputs = answers.outputs(model, x, scale=0), answers.outputs(model, x)
    if not _close(silent, x):
        _explain_wire(x, silent)
    if np.min(outputs - x) > -1e-4:
        raise Mistake(
            "ReLU ends the branch",
            "With random weights, nothing that your branch adds is negative.",
            "The wire is clean now, but a branch that can only add makes the signal grow: that is "
            "(c), which learned badly with 110 layers.",
            "let the branch end in a layer whose output has both signs.",
            "a ReLU that is in the wrong place need not stand anywhere else.",
        )
    _check_biases(model)
    if not _close(outputs, _due("full_preactivation")):
        raise Mistake(
            "another branch",
            "Your wire is clean, but with the same weights your branch computes something else "
            "than that of (e).",
            "The module had one fault, and its branch was none.",
            "start again from the module as it was given, and change as little as you can.",
            "each convolution of (e) has a norm and a ReLU before it; on the branch all was well.",
        )
    return (
        "With a silent branch your module hands on every number, also the negative ones, and with "
        "random weights it does just what (e) does. The wire is the gradient's, too, and nothing "
        "stands on it."
    )


@bottleneck.solved_by
def mended(x):
    from resnet_lesson.runtime import keras

    layers = keras.layers
    branch = x
    for filters, size in [(4, 1), (4, 3), (16, 1)]:
        branch = layers.ReLU()(layers.BatchNormalization()(branch))
        branch = layers.Conv2D(filters, size, padding="same", use_bias=False)(branch)
    return layers.add([x, branch])


@exercise(
    "Write the branch first, a line for each part, from left to right. The wire is `x` itself.",
    "A loop over `[(4, 1), (4, 3), (16, 1)]` can make the branch: each convolution has the same "
    "two neighbours here, one before it and one behind it.",
)
def relu_only(module: Any) -> str:
    """An order of He et al. from its diagram: (d), ReLU-only pre-activation."""
    wanted = "relu_only_preactivation"
    model = _bottleneck(module)
    outputs = answers.outputs(model, _inputs())
    for order, (why, step) in BUILT_INSTEAD.items():
        if _close(outputs, _due(order)):
            raise Mistake(
                order,
                f"With the same weights your module does what ({LETTERS[order]}) does, "
                f"{order.replace('_', ' ')}.",
                why,
                step,
                "read the diagram along one convolution: what comes right before it, what right "
                "behind it?",
            )
    if _close(outputs, _due(wanted, shortcut=False)):
        raise Mistake(
            "no shortcut",
            "Your branch is that of the diagram, and comes out alone.",
            "Without the wire it is a plain network, whose gradient has to pass every layer.",
            "find the plus in the diagram, and the two lines that end in it.",
            "`keras.layers.add` takes a list of two tensors.",
        )
    _check_biases(model)
    if _close(outputs, _due(wanted)):
        return (
            "With the same weights your module does what (d) does. Its wire is as clean as that "
            "of (e); what (e) has more is a norm before each ReLU."
        )
    bn_layers = sum(weight.name == "moving_variance" for weight in model.weights)
    if bn_layers != 3:
        raise Mistake(
            "norms",
            f"Your module has {bn_layers} batch normalisations, the diagram has 3.",
            "A norm that is left out lets the signal's size depend on the weights; one too many "
            "changes what the next part gets.",
            "count the BN in the diagram, and see behind which part each of them stands.",
            "each convolution has one of its own, also the last.",
        )
    raise Mistake(
        "another order",
        "It has the parts of the diagram, but with the same weights it does none of the five "
        "orders.",
        "A ReLU more, or at another place, cuts other numbers.",
        "read your lines along the diagram, one arrow a line.",
        "each convolution is between a ReLU and a BN, and nothing follows the addition.",
    )


@relu_only.solved_by
def unit(x):
    from resnet_lesson.runtime import keras

    layers = keras.layers
    branch = x
    for filters, size in [(4, 1), (4, 3), (16, 1)]:
        branch = layers.ReLU()(branch)
        branch = layers.Conv2D(filters, size, padding="same", use_bias=False)(branch)
        branch = layers.BatchNormalization()(branch)
    return layers.add([x, branch])


@exercise(
    '`wire_alone("bn_after_addition", 20)` gives what reaches each of 20 modules, as a share of '
    "what the last one has. How do you get from the first entry to a share a module?",
    "Between 20 modules lie 19 steps: the 19th root of the first entry. Do it for a short, a "
    "middling and a long stack.",
)
def shares(found: Any) -> str:
    """What does a module of (b) leave of the gradient on its wire, at three depths or more?"""
    found = answers.table(found, "a dict of modules and shares")
    depths = list(found)
    if not answers.is_range(depths, 2, 60):
        raise Mistake(
            "few depths",
            f"You looked at stacks of `{shown(depths)}` modules.",
            "Whether something depends on the depth shows over a range of depths. (Over 60 modules "
            "I cannot answer at once.)",
            "take three depths or more, of 2 to 60 modules, the largest at least four times the "
            "smallest.",
            "10, 20 and 40 are a good start.",
        )
    # The longest first: in long stacks the mistakes are the furthest apart.
    single, *_ = [_checked_shares(int(key), found[key]) for key in reversed(depths)]
    return (
        f"Your shares lie between {min(found.values()):.2f} and {max(found.values()):.2f}, and "
        "mine agree: on average about the same, which makes the curve nearly straight. But only "
        f"on average: of {depths[-1]:.0f} modules, one leaves {single.min():.2f} and another "
        f"{single.max():.2f}. Which ones take most: those near the input or those near the loss? "
        "Is it so for another seed?"
    )


def _checked_shares(depth: int, given: float) -> np.ndarray:
    """(depth - 1,) the share of the gradient that each module of (b) passes on.

    Raises a Mistake unless given is their mean.
    """
    gradient = stack_gradients(depth, order="bn_after_addition", **WIRE).signal_gradient
    single = gradient[:-1] / gradient[1:]
    right = float(np.exp(np.mean(np.log(single))))
    if abs(given - right) < 0.08:
        return single
    saw = f"For {depth} modules you give `{plain(given, 3)}`."
    if np.isclose(given, np.prod(single), rtol=0.5, atol=0):
        raise Mistake(
            "end to end",
            saw,
            "That is what all modules together leave. A share a module can be compared between "
            "stacks of any depth.",
            "spread it over the modules: what number, multiplied by itself, gives it?",
            "the 19th root, for 20 modules.",
        )
    if given > 1:
        raise Mistake(
            "grows",
            saw,
            "That is a gradient that grows on its way back. With the branches open it does; along "
            "the wire alone every module of (b) takes its part, on average.",
            "see whether only the wire carries your gradient, and which end you divide by which.",
            "`shortcut_only=True` closes the branches; the first module's gradient goes above the "
            "fraction bar.",
        )
    if abs(given - np.sqrt(right)) < 0.03:
        raise Mistake(
            "a layer",
            saw,
            "That would be for each convolution. But the wire does not pass the convolutions: it "
            "meets one norm and one ReLU a module.",
            "take the root by modules, and not by layers.",
            "between 20 modules lie 19 steps, though they have 40 convolutions.",
        )
    if abs(given - (1 - right)) < 0.08:
        raise Mistake(
            "what is lost",
            saw,
            "That is about what a module takes. What it leaves is what multiplies.",
            "give the share that is left.",
            "left and lost make 1.",
        )
    raise Mistake(
        "other share",
        saw,
        "I measure another one along the wire of (b).",
        "check the order and that only the wire carries the gradient: `wire_alone` sees to both.",
        '`wire_alone("bn_after_addition", 20)[0] ** (1 / 19)` for 20 modules.',
    )


@shares.solved_by
def found():
    from resnet_lesson import stack_gradients

    wire = {"kind": "basic", "normalization": True, "shortcut": True, "shortcut_only": True}
    shares = {}
    for modules in (10, 20, 40):
        stack = stack_gradients(modules, order="bn_after_addition", **wire)
        ends = stack.signal_gradient[0] / stack.signal_gradient[-1]
        shares[modules] = ends ** (1 / (modules - 1))
    return shares


# Why it matters that this order was built in place of (d), and a next step.
BUILT_INSTEAD = {
    "original": (
        "A ReLU behind the addition stands on the wire, where it cuts what is negative. In (d) "
        "every ReLU is on the branch.",
        "follow the diagram from the plus to its end: what is there?",
    ),
    "bn_after_addition": (
        "A norm and a ReLU behind the addition stand on the wire, and take a share of its "
        "gradient at every module.",
        "follow the diagram from the plus to its end: what is there?",
    ),
    "relu_before_addition": (
        "The wire is clean, but a branch that ends in a ReLU can only add, and the signal grows.",
        "begin at the other end: with which part does the diagram's branch start?",
    ),
    "full_preactivation": (
        "There the norm comes first and normalises what each convolution gets. In (d) it "
        "normalises what each convolution gives.",
        "look for the side of the convolution on which the BN stands.",
    ),
}


def _explain_wire(x: np.ndarray, silent: np.ndarray) -> NoReturn:
    """Raise the Mistake of a module that does not return x when its kernels are zero."""
    place = np.unravel_index(x.argmin(), x.shape)
    saw = (
        "With all its kernels zero the branch is silent, and for an input of "
        f"`{x[place]:.1f}` your module gives `{silent[place]:.1f}`."
    )
    if _close(silent, np.maximum(x, 0)):
        raise Mistake(
            "ReLU on the wire",
            saw,
            "Wherever wire and branch add up to something negative, the signal does not get "
            "through, and its gradient does not come back.",
            "follow the wire alone, from the input to the output: what does it meet?",
            "a pre-activation module does nothing to the sum: its next module begins with a norm "
            "and a ReLU, on its own branch.",
        )
    if not silent.any():
        raise Mistake(
            "no shortcut",
            saw,
            "Nothing gets past a silent branch: there is no wire any more, neither for the signal "
            "nor for its gradient.",
            "bring the addition back.",
            "the addition itself was not the fault; look at what is done with its sum.",
        )
    raise Mistake(
        "wire changed",
        saw,
        "On the way from input to output something still acts on what the wire carries.",
        "follow the wire alone: which parts does it pass, beside the addition?",
        "no norm, no activation, no convolution belongs on the wire of (e), not even a gentle one.",
    )


def _bottleneck(function: Any) -> keras.Model:
    """The model of a learner's function. Raises a Mistake unless it is a bottleneck module."""
    model = answers.network(function, SHAPE)
    if model.output_shape[1:] != SHAPE:
        raise Mistake(
            "shape",
            f"An input of shape `{SHAPE}` comes out as `{model.output_shape[1:]}`.",
            "The branch is added to the wire, so a module hands on the shape that it gets.",
            "look at the last convolution's filters, and at every `padding`.",
            'with `padding="same"` and stride 1 a convolution keeps height and width.',
        )
    shapes = [tuple(kernel.shape) for kernel in answers.kernels(model)]
    if shapes != KERNELS:
        sizes = ", ".join(f"{shape[0]}x{shape[1]} to {shape[-1]}" for shape in shapes) or "none"
        raise Mistake(
            "convolutions",
            f"Your convolutions, from size to filters: `{sizes}`.",
            "A bottleneck squeezes to a quarter of the wire, works there, and widens again.",
            "compare sizes and filters with the exercise, in their order.",
            "1x1 to a quarter of 16, 3x3 at that width, 1x1 back to 16.",
        )
    return model


def _check_biases(model: keras.Model) -> None:
    biases = sum(weight.name == "bias" for weight in model.trainable_weights)
    if biases:
        raise Mistake(
            "bias",
            f"Of your convolutions, {biases} have a bias.",
            "A norm that follows subtracts the mean, and a bias with it; and each norm has an "
            "offset of its own. So He et al. leave biases out.",
            "find the argument of `Conv2D` that leaves the bias out.",
            "it is `use_bias`.",
        )


@functools.cache
def _due(order: str, shortcut: bool = True) -> np.ndarray:
    """The outputs of the package's bottleneck of this order."""
    image = keras.Input(SHAPE)
    module = residual_module(image, SHAPE[-1], order=order, shortcut=shortcut)
    return answers.outputs(keras.Model(image, module), _inputs())


def _inputs() -> np.ndarray:
    """Eight images whose channels differ in their mean."""
    random = np.random.default_rng(0)
    means = random.standard_normal(SHAPE[-1])
    return (means + random.standard_normal((8, *SHAPE))).astype(np.float32)


def _close(outputs: np.ndarray, others: np.ndarray) -> bool:
    """Whether outputs are equal, but for BN's epsilon, where Keras and the package differ."""
    return np.linalg.norm(outputs - others) < 0.03 * np.linalg.norm(others)
