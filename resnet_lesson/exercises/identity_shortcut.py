"""Exercises of notebook 2: starts at zero, sums that double, a lost shortcut, the basic module."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..gradients.norms import norm as norm_of
from ..output import plain
from ..runtime import keras, tf
from . import answers
from .tutor import Mistake, exercise, shown

layers = keras.layers

FILTERS = 16
SHAPE = (8, 8, FILTERS)
LARGEST_HALF = 65_504  # the largest number of 16 bits


@exercise(
    "The gradient of a kernel is made of two things: the signal that goes into it, and the "
    "gradient that comes back to its output. The kernel itself is not among them.",
    "Set one kernel to zero and follow the signal through the branch: what goes into the other "
    "kernel? And what is the slope of ReLU where its input is exactly zero? (TensorFlow says 0.)",
)
def zero_start(choice: Any) -> str:
    """Which of a branch's two kernels may start at zero, so that the branch still learns?"""
    choices = ("first", "last", "either", "neither")
    if not isinstance(choice, str):
        raise answers.wrong_kind(choice, f"one of the words {', '.join(choices)}")
    word = choice.strip().lower()
    if word == "last":
        (first, last), (first_later, _) = _kernel_gradients(zeroed=1)
        return (
            f"At the first step the gradient of the last kernel is {plain(last)}. The gradient of "
            f"the first kernel is {plain(first)}, because no gradient comes back through a kernel "
            f"of zeros. After one step it is {plain(first_later)}, and the whole branch learns. "
            "So a module can start as the identity and still learn. The zero belongs into the "
            "last kernel of its branch."
        )
    if word == "first":
        first, last = _kernel_gradients(zeroed=0)[-1]
        raise Mistake(
            "first",
            f"With the first kernel at zero I measure a gradient of `{plain(first)}` at the first "
            f"kernel and `{plain(last)}` at the last, also after a step.",
            "Such a module stays the identity. No signal reaches the last kernel. And the ReLU, "
            "whose input is exactly zero, lets no gradient back to the first kernel.",
            "ask of each kernel in turn what goes into it while the other is zero.",
            "the gradient of a kernel is zero if its input is zero. With the first kernel at zero, "
            "what is the input of the last kernel?",
        )
    if word == "either":
        raise Mistake(
            "either",
            "You say that both starts learn. In one of them I measure a gradient of exactly 0 at "
            "both kernels, step after step.",
            "The two modules give the same answers at first. This says nothing about their "
            "gradients, which depend on what the zero cuts off.",
            "for each of the two starts, write down what goes into the kernel that is zero.",
            "a first kernel of zeros makes the inputs of all later layers zero. Which inputs does "
            "a last kernel of zeros change?",
        )
    if word == "neither":
        raise Mistake(
            "neither",
            "You say that no branch learns from a kernel at zero. In one of the two starts I "
            "measure a gradient that is not zero, at the kernel that is.",
            "Zeros are no trap by themselves. The gradient of a kernel is made of its input and of "
            "the gradient that comes back to its output. The kernel is not part of it.",
            "find the start in which the kernel at zero has an input and gets a gradient back.",
            "the gradient that comes back to the sum reaches the end of the branch unchanged. "
            "Which kernel stands there?",
        )
    raise Mistake(
        "no choice",
        f"You say `{shown(choice)}`.",
        "There are two kernels, so there are four answers.",
        f"choose one of {', '.join(choices)}.",
        "it is a string, with quotation marks around it.",
    )


@zero_start.solved_by
def may_be_zero():
    return "last"  # its input is not zero, and the gradient of the sum comes back to it


@exercise(
    "He's weights give the branch the mean square of the layer's input. Branch and input are "
    "added, and they are not correlated. What does a layer do to the mean square?",
    "The size is the root of the mean square. So which mean square belongs to a size of 65,504, "
    "and how often must 1 be doubled to get there?",
)
def overflow(depth: Any) -> str:
    """How many layers h + relu(h) @ W until the signal is too large for 16 bits?"""
    given = answers.number(depth)
    reached = [_depth_reached(seed) for seed in range(5)]
    least, most = min(reached), max(reached)
    if least - 2 <= given <= most + 2:
        return (
            "Each layer doubles the mean square, because its branch is as large as its input, and "
            "the mean squares of both add up. After 32 layers a size of 1 has become 65,536. In "
            f"five draws of the weights I count {least} to {most} layers. With BN in the branch, "
            "each term of the sum has a mean square of about 1. The mean square then grows like "
            "1 + 1 + 1, and not like 2 x 2 x 2."
        )
    if given < 1:
        raise Mistake(
            "no depth",
            f"You say `{plain(given, 3)}` layers.",
            "A signal starts with a size of 1 and takes at least a layer to grow.",
            "count the layers: how much does a single one do to the mean square?",
            "the count is a logarithm of the wanted growth over the logarithm of a layer's growth.",
        )
    saw = f"You say {plain(given, 3)} layers; in five draws of the weights I count fewer."
    if given > 1000:
        raise Mistake(
            "adds up",
            saw,
            "So many layers would be needed if each branch had a size of 1. But a branch grows "
            "with the signal that it is made of, so each layer adds more than the one before.",
            "compute the mean square after 1, 2 and 3 layers.",
            "each layer adds as much as there is already.",
        )
    if given > most:
        raise Mistake(
            "too many",
            saw,
            "Every layer multiplies the mean square by the same factor, so the large numbers come "
            "soon.",
            "find the factor of one layer, and how often it has to be applied.",
            "the branch has the mean square of its input. Which mean square has the sum of both?",
        )
    saw = f"You say {plain(given, 3)} layers; in five draws of the weights I count more."
    if 14 <= given <= 18:
        raise Mistake(
            "root forgotten",
            saw,
            "This count fits a size that doubles in every layer. But where two signals are not "
            "correlated, their mean squares add up, and not their sizes.",
            "follow the mean square from layer to layer, and take the root only at the end.",
            "two uncorrelated signals of size 1 make one of size 1.41, not 2.",
        )
    if 10 <= given <= 12.5 or 21 <= given <= 23:
        raise Mistake(
            "natural logarithm",
            saw,
            "A natural logarithm counts how often something grows 2.7-fold, which is no layer's "
            "factor here.",
            "divide by the logarithm of what one layer does.",
            "`np.log(growth) / np.log(factor)`, both of the mean square or both of the size.",
        )
    raise Mistake(
        "too few",
        saw,
        "A layer adds a branch that is as large as its input, no larger.",
        "compute the mean square after 1, 2 and 3 layers.",
        "the mean squares of two uncorrelated signals add up.",
    )


@overflow.solved_by
def depth_reached():
    import numpy as np

    growth = 65_504**2  # of the mean square; each layer doubles it
    return np.log(growth) / np.log(2)


@exercise(
    "Draw two modules in a row with their arrows. Which arrow of the drawing has no effect on what "
    "the function returns?",
    "A Keras layer changes nothing in place: it returns a new tensor. Follow that tensor to where "
    "it is used.",
)
def stack(function: Any) -> str:
    """Residual modules whose shortcuts do nothing: mend them."""
    network = answers.network(function, SHAPE, 2)
    _check_shape(network)
    twin = answers.network(_stacked, SHAPE, 2)
    if _shapes(network) != _shapes(twin):
        raise Mistake(
            "other parts",
            f"Two modules of yours have {network.count_params():,} parameters, those of the "
            f"exercise {twin.count_params():,}.",
            "An identity shortcut has nothing to train, so mending it changes no count.",
            "leave `half` as it is, and let each module call it twice.",
            "start again from the exercise's code: one line is enough.",
        )
    if _equal(network, twin):
        return (
            "Each module adds its own input. With the last kernels at zero, the stack hands its "
            "input on, negative numbers as well. Nothing had warned you of the mistake, because a "
            "network without its shortcuts runs just as well, until it is deep."
        )
    alone = answers.network(function, SHAPE, 1)
    _check_sum(alone)
    for wired in (_around_all, _first_input_everywhere):
        if _equal(network, answers.network(wired, SHAPE, 2)):
            raise Mistake(
                "outside the loop",
                "In a stack of two modules the second does not add its own input: what comes in at "
                "its end is the input of the whole stack.",
                "The sum of the lesson, x + F + F + ..., needs every module to hand on all that it "
                "got.",
                "look at where `shortcut` gets its value, and how often.",
                "both the line that keeps the input and the line that adds it belong to each turn "
                "of the loop.",
            )
    raise _other_sum(alone)


@stack.solved_by
def repaired(x, modules):
    from resnet_lesson.runtime import keras

    layers = keras.layers

    def half(x):
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        return layers.Conv2D(16, 3, padding="same", use_bias=False)(x)

    for _ in range(modules):
        shortcut = x
        x = layers.add([shortcut, half(half(x))])
    return x


@exercise(
    "Write the branch from top to bottom, six layers in a row; keep `x` under its own name while "
    "you do.",
    "`layers.Conv2D(filters, 3, padding='same', use_bias=False)` keeps the image's size and has no "
    "bias. The last line returns `layers.add` of two tensors.",
)
def basic(function: Any) -> str:
    """The basic module, from its parts."""
    network = answers.network(function, SHAPE, FILTERS)
    _check_shape(network)
    _check_parts(network)
    twin = answers.network(_basic, SHAPE, FILTERS)
    if _equal(network, twin):
        narrow = answers.network(function, (8, 8, 8), 8)
        if _shapes(narrow) == _shapes(answers.network(_basic, (8, 8, 8), 8)):
            return (
                "Your module has two kernels and two BN layers, with "
                f"{network.count_params():,} parameters for 16 filters. With its last kernel at "
                "zero it is the identity, and with any weights it agrees with mine. A network of "
                "56 layers has 27 of these modules."
            )
        raise Mistake(
            "filters ignored",
            "I asked for 8 filters and your kernels have another number.",
            "A network has modules of several widths, and they differ in this argument alone.",
            "find the number in your code that should be `filters`.",
            "both convolutions have `filters` filters.",
        )
    _check_sum(network)
    for end in (layers.Identity, layers.ReLU):
        if _equal(network, answers.network(_bn_behind, SHAPE, FILTERS, end)):
            raise Mistake(
                "BN behind",
                "In your branch each BN layer stands behind its convolution.",
                "This is the older order, of 2015. There the branch ends in a BN layer, and a "
                "network of such modules is another one.",
                "start the branch with a BN layer and end it with a convolution.",
                "BN, ReLU, convolution, and the same three again; then the sum.",
            )
    raise _other_sum(network)


@basic.solved_by
def basic_module(x, filters):
    from resnet_lesson.runtime import keras

    layers = keras.layers
    branch = x
    for _ in range(2):
        branch = layers.BatchNormalization()(branch)
        branch = layers.ReLU()(branch)
        branch = layers.Conv2D(filters, 3, padding="same", use_bias=False)(branch)
    return layers.add([branch, x])


@exercise(
    "`stack_gradients(20, normalization=True, shortcut=True)` differentiates 20 residual layers. "
    "Divide the first entry of its `signal_gradient` by the last.",
    "Do it for 25, 50, 100 and 200 layers. A constant factor a layer would square the ratio with "
    "each doubling of the depth.",
)
def depth(ratios: Any) -> str:
    """How does the growth of a residual gradient depend on the depth?"""
    found = answers.table(ratios, "a dict of depths and their ratios")
    depths = list(found)
    if not answers.is_range(depths, 5, 200):
        raise Mistake(
            "few depths",
            f"You looked at the depths `{shown([round(key) for key in depths])}`.",
            "Which kind of growth it is shows only over a range of depths, from 5 to 200.",
            "take three depths or more, the largest at least four times the smallest.",
            "25, 50, 100 and 200 are a good start.",
        )
    for key, value in found.items():
        _check_ratio(int(key), value)
    values = np.array(list(found.values()))
    if not (values > 0).all():
        raise _other_ratio("One of your ratios is not positive.")
    power = np.polyfit(np.log(depths), np.log(values), 1)[0]
    first, last = (found[key] ** (1 / (key - 1)) for key in (depths[0], depths[-1]))
    return (
        f"With each doubling of the depth your ratio grows {2**power:.1f}-fold, where a constant "
        f"factor would square it: a power of the depth, about {power:.1f}. Spread over the layers "
        f"it is {first:.2f} a layer at {depths[0]:.0f} and {last:.3f} at {depths[-1]:.0f}. Factors "
        "like 1 + 1/2, 1 + 1/3, 1 + 1/4 multiply to such a growth. Does it hold for "
        "`kind='basic'`? For another seed, for tanh?"
    )


@depth.solved_by
def ratios():
    from resnet_lesson import stack_gradients

    found = {}
    for depth in (25, 50, 100, 200):
        gradient = stack_gradients(depth, normalization=True, shortcut=True).signal_gradient
        found[depth] = gradient[0] / gradient[-1]
    return found


def _check_ratio(depth: int, given: float) -> None:
    """Raise a Mistake unless given is the ratio of a stack of this depth."""
    draws = [
        answers.end_ratio(depth, seed=seed, normalization=True, shortcut=True) for seed in range(5)
    ]

    def near(value: float) -> bool:
        return min(draws) / 1.4 <= value <= 1.4 * max(draws)

    if near(given):
        return
    saw = f"For depth {depth} you give `{plain(given, 3)}`."
    if given > 0 and near(1 / given):
        raise Mistake(
            "upside down",
            saw,
            "The gradient travels from the last layer to the first, and here it gets larger on its "
            "way.",
            "divide the first layer's by the last layer's.",
            "row 0 of the norms is the layer nearest the input.",
        )
    if 1 < given <= max(draws) ** (1 / (depth - 1)) + 0.02:
        raise Mistake(
            "a layer",
            saw,
            "That is a factor a layer, which describes a stack whose layers all do the same. "
            "Whether these do is the question.",
            "give the ratio of the whole stack, and see what becomes of it as the depth doubles.",
            "the first entry of `signal_gradient` over the last one, without a root.",
        )
    if given > 2 * max(draws):
        raise Mistake(
            "explodes",
            saw,
            "The ratio becomes so large where every layer multiplies by the same factor. This "
            "happens without the BN layers, or without the shortcut.",
            "look at the options that you gave `stack_gradients`: what is off unless named?",
            "both `normalization` and `shortcut` are False unless you say otherwise.",
        )
    raise _other_ratio(saw)


def _other_ratio(saw: str) -> Mistake:
    return Mistake(
        "other ratio",
        saw,
        "I measure another one, over five seeds, with dense layers of 64 units, BN and shortcuts.",
        "check the quantity: the gradient of the signal, not that of the weights.",
        "`g[0] / g[-1]` with `g = stack_gradients(...).signal_gradient`.",
    )


def _bn_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization()(x))


def _conv(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)


def _parts(x: keras.KerasTensor, filters: int) -> tuple[keras.KerasTensor, ...]:
    """The branch of a basic module, its input, and that after BN and ReLU."""
    activated = _bn_relu(x)
    return _conv(_bn_relu(_conv(activated, filters)), filters), x, activated


def _branch(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return _parts(x, filters)[0]


def _basic(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    return _branch(x, filters) + x


def _bn_behind(x: keras.KerasTensor, filters: int, end: Any) -> keras.KerasTensor:
    """The order of He et al. 2015, which ends in a ReLU, or without it in the identity."""
    branch = layers.BatchNormalization()(_conv(_bn_relu(_conv(x, filters)), filters))
    return end()(branch + x)


def _stacked(x: keras.KerasTensor, modules: int, module: Any = _basic) -> keras.KerasTensor:
    for _ in range(modules):
        x = module(x, FILTERS)
    return x


def _around_all(x: keras.KerasTensor, modules: int) -> keras.KerasTensor:
    return x + _stacked(x, modules, _branch)


def _first_input_everywhere(x: keras.KerasTensor, modules: int) -> keras.KerasTensor:
    first = x
    for _ in range(modules):
        x = first + _branch(x, FILTERS)
    return x


def _vectors(model: keras.Model) -> list[keras.Variable]:
    return [weight for weight in model.weights if len(weight.shape) != 4]


def _shapes(model: keras.Model) -> list[tuple[int, ...]]:
    """Kernels in order, then the rest: it does not count whether BN or a kernel was made first."""
    return [tuple(weight.shape) for weight in answers.kernels(model) + _vectors(model)]


def _equal(model: keras.Model, twin: keras.Model) -> bool:
    """Whether two models with the same weights have the same outputs, but for the epsilon of BN."""
    if _shapes(model) != _shapes(twin):
        return False
    theirs, ours = _outputs(model), _outputs(twin)
    return theirs.shape == ours.shape and bool(np.abs(theirs - ours).max() < 0.02 * ours.std())


def _images() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((4, *SHAPE)).astype(np.float32)


def _outputs(model: keras.Model, kernels: float = 1) -> np.ndarray:
    """The outputs with weights with which every layer of a module makes a difference.

    Models of equal shapes get equal weights. The kernels are drawn with this scale.
    """
    random = np.random.default_rng(0)
    for kernel in answers.kernels(model):
        kernel.assign(kernels * answers.he_weights(random, kernel.shape))
    for vector in _vectors(model):
        vector.assign(random.uniform(0.5, 1.5, vector.shape))
    return model(_images(), training=False).numpy()


def _check_shape(model: keras.Model) -> None:
    shape = tuple(model.output_shape)[1:]
    if shape == SHAPE:
        return
    if shape[:-1] == SHAPE[:-1] and shape[-1] > FILTERS:
        raise Mistake(
            "concatenated",
            f"Of 16 channels that go in, yours makes {shape[-1]}.",
            "A shortcut is added to the branch, number by number. Side by side, the two would make "
            "every module wider than the one before.",
            "look for the line in which branch and shortcut meet.",
            "concatenating keeps both; a sum of two tensors has the shape of each of them.",
        )
    raise Mistake(
        "other shape",
        f"An image of shape `{SHAPE}` comes out with shape `{shape}`.",
        "What is added to its input must have the shape of its input.",
        "print the shape after each layer, and find the one that changes it.",
        "a 3x3 convolution keeps height and width with padding 'same' and stride 1.",
    )


def _check_parts(model: keras.Model) -> None:
    kernels, vectors = answers.kernels(model), _vectors(model)
    if len(kernels) != 2:
        raise Mistake(
            "convolutions",
            f"Your module has {len(kernels)} kernel{'' if len(kernels) == 1 else 's'} of a "
            "convolution.",
            "A basic module has two in its branch, and none in its shortcut: so the sum has a "
            "nonlinear branch and an input that nothing has touched.",
            "count the convolutions between `x` and the sum.",
            "BN, ReLU, convolution come twice; a layer called twice shares its kernel.",
        )
    sizes = [tuple(kernel.shape[:2]) for kernel in kernels]
    if sizes != [(3, 3), (3, 3)]:
        raise Mistake(
            "kernel size",
            f"Your kernels are of size `{sizes[0]}` and `{sizes[1]}`.",
            "Both convolutions of a basic module are 3x3; 1x1 ones belong to the bottleneck.",
            "look at the second argument of `Conv2D`.",
            "`layers.Conv2D(filters, 3, ...)` has 3x3 kernels.",
        )
    bn_layers = sum(not weight.trainable for weight in vectors) // 2
    extra = len(vectors) - 4 * bn_layers
    if bn_layers != 2:
        raise Mistake(
            "BN layers",
            f"Your module has {bn_layers} BN layer{'' if bn_layers == 1 else 's'}.",
            "One stands before each ReLU, so that about half of the ReLU's input is negative.",
            "go through the branch, and give each ReLU its BN layer.",
            "two `BatchNormalization` layers, one for each convolution, none on the shortcut.",
        )
    if extra > 0:
        raise Mistake(
            "bias",
            f"Beside kernels and BN layers I find {extra} more vector{'' if extra == 1 else 's'}: "
            "your convolutions have a bias.",
            "The next BN layer subtracts the mean, and with it whatever a bias has added. So the "
            "bias would be trained and would change nothing.",
            "look at what `Conv2D` adds unless told otherwise.",
            "its argument `use_bias` is True unless you say otherwise.",
        )


# What a module may make of its branch and its input, other than their sum, and what its Mistake
# says. The functions take the branch, the input, and the input after BN and ReLU.
WRONG_SUMS: dict[str, tuple[Callable[..., Any], str, str, str, str]] = {
    "never added": (
        lambda branch, x, activated: branch,
        "With the last kernel of each module at zero, yours answers zero, not its input.",
        "Then the branch is all there is: these are plain layers, and a deep stack of them "
        "will degrade.",
        "follow the input on its way to what the function returns.",
        "an addition whose result nobody keeps has no effect; what does yours return?",
    ),
    "activated": (
        lambda branch, x, activated: branch + activated,
        "With the last kernel at zero, your module answers its input after BN and ReLU.",
        "Nothing may stand on the shortcut. Each module of yours changes the size of the signal "
        "and cuts off its negative half, and nothing arrives unchanged.",
        "look at which tensor the addition takes.",
        "keep the module's input under a name that no later line overwrites.",
    ),
    "ReLU after": (
        lambda branch, x, activated: keras.ops.relu(branch + x),
        "With the last kernel at zero, your module answers its input where that is positive, "
        "and zero where it is negative.",
        "A ReLU on the sum stands on the shortcut as well: wherever input and branch add up to "
        "something negative, it cuts the signal and stops the gradient.",
        "let the sum be the last thing that happens.",
        "both ReLUs stand in the branch, each before a convolution.",
    ),
    "multiplied": (
        lambda branch, x, activated: branch * x,
        "With the last kernel at zero, your module answers zero: its branch multiplies the input.",
        "A product has no +1. Where the branch is small, the signal behind it is small, and so is "
        "the gradient that comes back.",
        "look at the operation in which branch and shortcut meet.",
        "y = x + F(x): with F at zero, what must be left?",
    ),
}


def _check_sum(module: keras.Model) -> None:
    """Raise the Mistake of a module that is right but for what it makes of its branch."""
    image = keras.Input(SHAPE)
    tensors = _parts(image, FILTERS)
    for name, (end, *words) in WRONG_SUMS.items():
        if _equal(module, keras.Model(image, end(*tensors))):
            raise Mistake(name, *words)


def _other_sum(module: keras.Model) -> Mistake:
    """The Mistake of a module that is wrong in another way."""
    why = (
        "The lesson's branch is BN, ReLU, convolution, BN, ReLU, convolution. The input is added "
        "to it, and nothing comes after."
    )
    if _hands_on(module):
        return Mistake(
            "other branch",
            "With all kernels at zero your module hands its input on, so its shortcut is right. "
            f"Its branch is another one: `{', '.join(_parts_in_order(module))}`.",
            why,
            "compare the two orders from their beginning, and find the first part that differs.",
            "begin the branch with a BN layer, and end it with a convolution.",
        )
    return Mistake(
        "other sum",
        "With all kernels at zero your module does not hand its input on.",
        why,
        "find what else touches the input on its way to the sum.",
        "the shortcut has no layer at all, and the sum is the last thing.",
    )


def _hands_on(module: keras.Model) -> bool:
    """Whether a module with kernels of zero returns its input, but for an offset.

    Norm and ReLU behind a convolution make such an offset, the same for every input.
    """
    added = _outputs(module, kernels=0) - _images()
    return bool(np.ptp(added, axis=(0, 1, 2)).max() < 1e-3)


def _parts_in_order(module: keras.Model) -> list[str]:
    kinds = [type(operation).__name__.lower() for operation in module.operations]
    return [PARTS[kind] for kind in kinds if kind in PARTS]


# The names of Keras' layers and operations.
PARTS = {
    **{"batchnormalization": "BN", "conv2d": "convolution"},
    **{"relu": "ReLU", "activation": "ReLU"},
}


def _kernel_gradients(zeroed: int) -> list[list[float]]:
    """Gradient norms of the kernels of a basic module of which one starts at zero.

    Returns:
        A pair (first kernel, last kernel) before a step of gradient descent, and one after.
    """
    keras.utils.set_random_seed(0)
    model = answers.network(_basic, SHAPE, FILTERS)
    kernels = answers.kernels(model)
    kernels[zeroed].assign(0 * kernels[zeroed])
    targets = np.random.default_rng(2).standard_normal((4, *SHAPE))
    norms = []
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(_images(), training=True) - targets) ** 2)
        gradients = tape.gradient(loss, [kernel.value for kernel in kernels])
        norms.append([norm_of(gradient) for gradient in gradients])
        for kernel, gradient in zip(kernels, gradients, strict=True):
            kernel.assign(kernel - gradient)
    return norms


def _depth_reached(seed: int, width: int = 64) -> int:
    """After how many layers h + relu(h) @ W a signal of size 1 leaves the range of 16 bits."""
    random = np.random.default_rng(seed)
    h, depth = random.standard_normal((width, width)), 0
    while np.sqrt(np.mean(h**2)) <= LARGEST_HALF:
        weight = answers.he_weights(random, (width, width))
        h, depth = h + np.maximum(h, 0) @ weight, depth + 1
    return depth
