"""Exercises of notebook 3: a wire, a wire to clear, orders to read, shares, an order to find."""

import functools
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from ..gradients.stacks import stack_gradients
from ..networks.orders import ORDERS
from ..networks.residual import residual_module
from ..output import plain
from ..runtime import keras, tf
from . import answers
from .tutor import Mistake, Unanswered, exercise, shown

SHAPE = (8, 8, 16)
KERNELS = [(1, 1, 16, 4), (3, 3, 4, 4), (1, 1, 4, 16)]  # of a bottleneck on this shape
LETTERS = dict(zip(ORDERS, "abcde", strict=True))
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
            f"I measure {plain(right)}. With a linear activation, nothing acts on the sum, and "
            "the wire of (a) is as clean as the wire of (e). So it is the ReLU that takes gradient "
            "from the wire of (a). The BN layers of (a) take none, as they stand on the branch."
        )
    saw = f"You say that the wire of (a) keeps `{plain(given, 3)}` of the gradient."
    if given < 0:
        raise Mistake(
            "no share",
            saw,
            "A share compares two sizes, and no size is negative.",
            "divide the size at the first module by that at the last.",
            "a share is 0 where nothing arrives.",
        )
    if given > 1:
        raise Mistake(
            "more than all",
            saw,
            "This is more than all of the gradient. With the branches closed, nothing can be added "
            "on the way. (If you mean per cent: a share is a part of one.)",
            "ask what each module multiplies the gradient by, when its branch is closed.",
            "only what stands behind the addition multiplies it. How large can its slope be?",
        )
    if given < 0.01:
        raise Mistake(
            "as (b)",
            saw,
            "Almost nothing arrives in (b), because its BN layer stands on the wire. In (a) the "
            "BN layers are on the branch, and the branch is closed.",
            "look at the first of the five diagrams: what lies behind its addition?",
            "cross out all that is on the branch, and see what is left of (a).",
        )
    if 0.25 <= given <= 0.4:
        raise Mistake(
            "as with ReLU",
            saw,
            "This is about what arrives with a ReLU behind every addition. A linear activation "
            "cuts no number off.",
            "replace the ReLU in (a)'s diagram, and follow the gradient back past one module.",
            "a ReLU has slope 0 or 1. Which slopes has the activation here?",
        )
    raise Mistake(
        "some of it",
        saw,
        "If one module took a part of the gradient, all modules would take it, one after the "
        "other.",
        "find what a single module takes, then raise what it leaves to the number of modules.",
        "the branches are closed, so only the activation behind the addition can take anything.",
    )


@linear.solved_by
def share():
    slope = 1  # of a linear activation, which is all that (a) then has on its wire
    return slope**53  # from the last module to the first


@exercise(
    "If the branch of a module adds nothing, what should come out of the module? Let its last "
    "convolution be zero, and pass it a negative number.",
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
            "The wire is clean now. But a branch that can only add makes the signal grow. This is "
            "order (c), which learned badly with 110 layers.",
            "let the branch end in a layer whose output has both signs.",
            "a ReLU that is in the wrong place need not stand anywhere else.",
        )
    _check_biases(model)
    if not _close(outputs, _due("full_preactivation")):
        raise Mistake(
            "another branch",
            "Your wire is clean. But with the same weights, your branch computes something else "
            "than the branch of (e).",
            "The module had one fault, and the fault was not on the branch.",
            "start again from the module as it was given, and change as little as you can.",
            "each convolution of (e) has a BN layer and a ReLU before it, and so it was in the "
            "module as given.",
        )
    return (
        "With all kernels zero, your module hands on every number, also the negative ones. With "
        "random weights it computes just what (e) computes. The gradient comes back along the same "
        "wire, and nothing stands on it."
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


BLOCKS = {"first": "e", "second": "a", "third": "b"}
# By block and wrong letter: why it is not this order, a next step, and one step further.
MISREAD = {
    ("first", "a"): (
        "In (a) a ReLU stands behind the addition. This block returns the sum as it is.",
        "find the addition in the code, and look at what is done with its result.",
        "the last line adds and returns. So which wires can it be?",
    ),
    ("first", "c"): (
        "The branch of (c) ends in a ReLU. Follow the last line here: what does it add to `x`?",
        "write down the parts of the branch in their order.",
        "the last part of the branch is a convolution.",
    ),
    ("first", "d"): (
        "In (d) a BN layer stands right behind each convolution, and the branch begins with a "
        "ReLU. Here another part touches `x` first.",
        "look at the first line, from the inside out: what reads `x`?",
        "the innermost call of the first line is the first part of the branch.",
    ),
    ("second", "b"): (
        "In (b) the last BN layer stands behind the addition. Here a BN layer is inside the "
        "brackets of the addition, and so it is on the branch.",
        "sort the parts of the last line: which are applied before the addition, which after it?",
        "`add` gets `x` and the output of a BN layer. Only one part gets the sum.",
    ),
    ("second", "c"): (
        "In (c) the last ReLU stands before the addition. Here the last ReLU gets the sum.",
        "read the last line from the inside out.",
        "first a BN layer, then the addition, then a ReLU.",
    ),
    ("second", "e"): (
        "In (e) nothing stands behind the addition, and a BN layer reads `x`. Here a convolution "
        "reads `x` first.",
        "look at what the last line does with the sum.",
        "the outermost call of the last line is the last part of the block.",
    ),
    ("third", "a"): (
        "In (a) only a ReLU acts on the sum, and its norms are on the branch. Here the norm acts "
        "on the sum.",
        "ask what kind of part gets the sum: one that divides by the spread, or one that cuts?",
        "a BN layer and an LN layer both divide by the spread. Which order has one on its wire?",
    ),
    ("third", "e"): (
        "In (e) the norm reads `x` before the branch does anything. Transformers have such a form, "
        "too, and it is newer than 2017. Here the attention reads `x` first.",
        "find out what the normalisation layer gets: `x`, or the sum?",
        "the last line normalises the sum.",
    ),
}


@exercise(
    "Look for the addition first. Is anything done with the sum before it is returned?",
    "Write down the parts of each block from `x` to `return`, and compare the list with the "
    "drawings of the five orders.",
)
def which_order(letters: Any) -> str:
    """Which of the five orders have three published blocks?"""
    if not isinstance(letters, dict):
        raise answers.wrong_kind(letters, "a dict of three blocks and letters")
    missing = [name for name in BLOCKS if letters.get(name) is None or letters[name] is ...]
    if missing:
        raise Unanswered(f"name the order of the block `{missing[0]}`.")
    read = {name: _letter(letters[name]) for name in BLOCKS}
    for name, right in BLOCKS.items():
        if read[name] == right:
            continue
        why, step, further = MISREAD.get((name, read[name]), MISREAD_OTHERWISE)
        raise Mistake(f"{name} as {read[name]}", _read_as(name, read), why, step, further)
    return (
        "The first block is (e), and nothing stands on its wire. The second is (a), with a ReLU on "
        "the wire. The third has a norm on its wire, as (b) has. Later transformers moved the norm "
        "to the start of the branch, as (e) did."
    )


MISREAD_OTHERWISE = (
    "This order has other parts on its wire, or its branch ends in another part.",
    "find the addition, and write down what stands behind it.",
    "then write down the part right before the addition. Both together name the order.",
)


def _read_as(name: str, read: dict[str, str]) -> str:
    order = list(ORDERS)["abcde".index(read[name])]
    return f"You say that the {name} block has order ({read[name]}), {_in_words(order)}."


def _in_words(order: str) -> str:
    """The name of an order as a reader knows it."""
    words = order.replace("_", " ").replace("bn ", "BN ").replace("relu ", "ReLU ")
    return words.replace("preactivation", "pre-activation")


def _letter(answer: Any) -> str:
    """The letter of an order, which may be given by its letter or its name."""
    words = answer.strip().lower() if isinstance(answer, str) else ""
    name = re.sub(r"[\s-]+", "_", re.sub(r"pre[\s_-]act", "preact", words))
    if name in LETTERS:
        return LETTERS[name]
    letter = re.match(r"\(?([a-e])\b", words)
    if not letter:
        raise answers.wrong_kind(answer, 'the letter of an order, such as "c"')
    return letter[1]


@which_order.solved_by
def letters():
    return {
        "first": "e",  # it begins with BN and ReLU, and ends in the addition
        "second": "a",  # a ReLU gets the sum
        "third": "b",  # a normalisation gets the sum
    }


@exercise(
    '`wire = wire_alone("bn_after_addition", seed=1)` has 54 entries, the first for module 1. '
    "What `wire[0] / wire[1]` says is what module 1 leaves.",
    "`(wire[:-1] / wire[1:]).argmin()` finds the smallest of them. Python counts from 0.",
)
def shares(found: Any) -> str:
    """Which module of (b) leaves the least of the gradient on the wire, for three seeds or more?"""
    found = answers.table(found, "a dict of seeds and modules")
    seeds = list(found)
    if len(seeds) < 3 or not all(seed == int(seed) and 0 <= seed < 2**32 for seed in seeds):
        raise Mistake(
            "few seeds",
            f"You looked at the seeds `{shown([int(seed) for seed in seeds])}`.",
            "One draw of the weights can show anything. A rule has to hold for several.",
            "take three seeds or more. A seed is a whole number, from 0 on.",
            "the seeds 0, 1 and 2 are a good start.",
        )
    left = {seed: _left_by_modules("bn_after_addition", int(seed)) for seed in seeds[:20]}
    for seed, single in left.items():
        _check_least(int(seed), found[seed], single)
    first = {int(_left_by_modules("original", int(seed)).argmin()) + 1 for seed in seeds[:3]}
    modules = ", ".join(f"{found[seed]:.0f}" for seed in left)
    of_a = f"module {first.pop()}" if len(first) == 1 else "not the same module"
    least = min(single.min() for single in left.values())
    return (
        f"The modules are `{modules}`, and I see no rule in them: with another draw of the weights "
        f"it is another module. One of them leaves only {least:.2f}. So there is no best place to "
        f"mend (b). In (a) it is {of_a} with your first three seeds, because the sum on its wire "
        "is smallest there."
    )


def _check_least(seed: int, given: float, single: np.ndarray) -> None:
    """Raise a Mistake unless a module, counted from 1, is one that leaves the least."""
    saw = f"With seed {seed} you give module `{plain(given, 3)}`."
    modules = len(single) + 1
    if given != int(given) or not 0 <= given <= modules:
        raise Mistake(
            "no module",
            saw,
            f"The modules have the numbers 1 to {modules}. (If this is a share: the exercise asks "
            "which module leaves the smallest share.)",
            "pass the number of the module, and not what it leaves.",
            "`argmin` finds the place of the smallest number.",
        )
    place = int(given) - 1
    # Two modules may leave nearly the same, and machines round differently.
    if 0 <= place < len(single) and single[place] < 1.03 * single.min():
        return
    answers.explain(
        saw,
        (
            place + 1 == single.argmin(),
            "counted from 0",
            "It is the module right behind this one. Python counts from 0, and the modules are "
            "counted from 1.",
            "ask which module has the place 0 in your list.",
            "add one.",
        ),
        (
            place == single.argmax(),
            "leaves most",
            "This is the module that leaves most. The one that takes most leaves the least.",
            "look for the other end.",
            "it is `argmin` of what the modules leave.",
        ),
        (
            place == 0,
            "least arrives",
            "At module 1 the gradient is smallest, because all other modules have taken their "
            "parts before. But what module 1 takes by itself is another question.",
            "compare the share at each module with the share at the next module.",
            "divide neighbours: `wire[:-1] / wire[1:]`.",
        ),
        (
            modules - 1 - place == int(single.argmin()) + 1,
            "counted from the loss",
            "It would fit if the modules were counted from the loss.",
            "check which end of the list is module 1.",
            "the first entry of `wire_alone(...)` is nearest the input.",
        ),
    )
    said = f", and this one leaves {single[place]:.2f}" if 0 <= place < len(single) else ""
    raise Mistake(
        "other module",
        saw,
        f"I find a module that leaves less{said}.",
        "check the order, the seed and the number of modules: 54.",
        '`wire_alone("bn_after_addition", seed=1)` has the numbers for seed 1.',
    )


@functools.lru_cache(maxsize=64)
def _left_by_modules(order: str, seed: int) -> np.ndarray:
    """(53,) the share of the gradient that each module leaves on its wire."""
    gradient = stack_gradients(54, order=order, seed=seed, **WIRE).signal_gradient
    return gradient[:-1] / gradient[1:]


@shares.solved_by
def found():
    from resnet_lesson import stack_gradients

    wire = {"kind": "basic", "normalization": True, "shortcut": True, "shortcut_only": True}
    modules = {}
    for seed in (0, 1, 2):
        stack = stack_gradients(54, order="bn_after_addition", seed=seed, **wire)
        left = stack.signal_gradient[:-1] / stack.signal_gradient[1:]
        modules[seed] = int(left.argmin()) + 1
    return modules


WORDS = {"c": "conv", "n": "BN", "r": "ReLU"}
FIVE = {
    "".join(
        next(letter for letter, part in WORDS.items() if part == word)
        for word in (*parts.before, "conv", *parts.between, "conv", *parts.after)
    )
    + "+"
    + "".join("n" if word == "BN" else "r" for word in parts.after_addition): order
    for order, parts in ORDERS.items()
}


@exercise(
    "The wire is clean if the addition comes last. So the question is how to arrange the branch.",
    "The branch should add numbers of both signs. Its last part decides this. And a ReLU should "
    "stand between the two convolutions, as in the five.",
)
def sixth_order(order: Any) -> str:
    """Find a sixth order with a clean wire, whose signal grows about as much as that of (e)."""
    word = _word(order)
    _, _, behind = word.partition("+")
    if word in FIVE:
        raise Mistake(
            "one of the five",
            f"`{word}` is order ({LETTERS[FIVE[word]]}), {_in_words(FIVE[word])}.",
            "The exercise asks for an order that He et al. did not draw.",
            "keep what is good about it, and exchange two parts.",
            "exchange two neighbours on the branch, and check again.",
        )
    share, growth = _travels(word)
    if behind:
        raise Mistake(
            "on the wire",
            f"Behind the `+` stands `{behind}`. Along the wire alone, `{plain(share)}` of the "
            f"gradient comes back through 54 modules, and the signal grows `{growth:.1f}` times.",
            "What stands behind the addition stands on the way of every module before it.",
            "move all parts to the branch.",
            "the `+` has to be the last sign of the word.",
        )
    due = _travels("nrcnrc+")[1]
    saw = (
        f"Its wire is clean, and its signal grows `{growth:.1f}` times, where (e) has `{due:.1f}`."
    )
    if growth > 1.6 * due:  # of all words, one and a half times or less, or 1.7 times or more
        answers.explain(
            saw,
            (
                word.endswith("r+"),
                "ReLU ends the branch",
                "The branch ends in a ReLU, so it can only add. It behaves like (c).",
                "let the branch end in a part whose output has both signs.",
                "a convolution or a BN layer gives numbers of both signs.",
            ),
            (
                word.endswith("rn+"),
                "ReLU before the last norm",
                "The branch ends in a ReLU and a BN layer. Its outputs have a mean of zero, but "
                "those of different modules still do not cancel.",
                "let a convolution stand behind the last ReLU.",
                "the weights of a convolution have both signs, and mix what they read.",
            ),
        )
        raise Mistake(
            "no ReLU between",
            saw,
            "Each module adds more than a module of (e). He's starting weights double the mean "
            "square of the signal, because they expect a ReLU before each convolution.",
            "look at what stands before each of the two convolutions.",
            "put a ReLU or a BN layer between the two convolutions.",
        )
    return (
        f"With `{word}` the whole gradient comes back along the wire, and the signal grows "
        f"{growth:.1f} times, where (e) has {due:.1f}. So before training it behaves like (e), "
        "and these two measures cannot tell the two apart. Whether it also learns like (e), only "
        "training can show."
    )


def _word(answer: Any) -> str:
    """An order as a word, such as "nrcnrc+". Raises a Mistake for anything else."""
    if not isinstance(answer, str):
        raise answers.wrong_kind(answer, 'a word, such as "nrcnrc+"')
    word = re.sub(r"[\s,()>-]+", "", answer.lower())
    if sorted(word) != sorted("ccnnrr+"):
        raise Mistake(
            "other parts",
            f"I read `{shown(word)}`.",
            "All orders have the same parts, so that only their places differ: two convolutions, "
            "two BN layers, two ReLUs and one addition.",
            "use each of the letters `c`, `n` and `r` twice, and one `+`.",
            'write it as (e) is written: `"nrcnrc+"`.',
        )
    return word


@functools.lru_cache(maxsize=128)
def _travels(word: str) -> tuple[float, float]:
    """In a new stack of 54 modules of this order, as in the notebook's: which share of the last
    module's gradient the wire alone brings to the first, and how much the signal grows."""
    stack = stack_gradients(54, kind="basic", normalization=True, shortcut=True)
    branch, _, behind = word.partition("+")
    signals = [tf.constant(stack.inputs)]
    with tf.GradientTape() as tape:
        tape.watch(signals)
        for module in range(53):
            kernels = iter([weight[module] for weight in stack.weights])
            added = tf.stop_gradient(_through(branch, signals[-1], kernels))
            signals.append(_through(behind, signals[-1] + added, kernels))
        logits = tf.reduce_mean(signals[-1], axis=[1, 2]) @ stack.readout
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(stack.labels, logits)
    first, last = (
        float(tf.norm(gradient)) for gradient in tape.gradient(loss, [signals[0], signals[-1]])
    )
    sizes = [float(tf.norm(signal)) for signal in (signals[0], signals[-1])]
    return first / last, sizes[1] / sizes[0]


def _through(parts: str, signal: Any, kernels: Iterator[np.ndarray]) -> Any:
    """(B, 8, 8, 16) the signal behind these parts, in training mode."""
    for part in parts:
        if part == "c":
            signal = tf.nn.conv2d(signal, next(kernels), 1, "SAME")
        elif part == "n":
            mean, variance = tf.nn.moments(signal, [0, 1, 2])
            signal = (signal - mean) / tf.sqrt(variance + 2e-5)
        else:
            signal = tf.nn.relu(signal)
    return signal


@sixth_order.solved_by
def order():
    return "cnnrrc" + "+"  # one of many: the branch ends in a convolution, and a ReLU is before it


def _explain_wire(x: np.ndarray, silent: np.ndarray) -> NoReturn:
    """Raise the Mistake of a module that does not return x when its kernels are zero."""
    place = np.unravel_index(x.argmin(), x.shape)
    saw = (
        "With all its kernels zero, the branch adds nothing. For an input of "
        f"`{x[place]:.1f}`, your module then gives `{silent[place]:.1f}`."
    )
    if _close(silent, np.maximum(x, 0)):
        raise Mistake(
            "ReLU on the wire",
            saw,
            "Where the sum of wire and branch is negative, the signal does not get through, and "
            "its gradient does not come back.",
            "follow the wire alone, from the input to the output: what does it meet?",
            "a pre-activation module does nothing to the sum. The next module begins with a BN "
            "layer and a ReLU, on its own branch.",
        )
    if not silent.any():
        raise Mistake(
            "no shortcut",
            saw,
            "Nothing gets past a branch that gives zeros. There is no wire any more, neither for "
            "the signal nor for its gradient.",
            "bring the addition back.",
            "the addition itself was not the fault. Look at what is done with the sum.",
        )
    raise Mistake(
        "wire changed",
        saw,
        "On the way from input to output something still acts on what the wire carries.",
        "follow the wire alone: which parts does it pass, beside the addition?",
        "no BN layer, activation or convolution belongs on the wire of (e).",
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
            "The BN layer that follows subtracts the mean, and with it the bias. Each BN layer has "
            "an offset of its own, too. So He et al. leave biases out.",
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
