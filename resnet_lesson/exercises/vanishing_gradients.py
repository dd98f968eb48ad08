"""Exercises of notebook 1: factors a layer, rulers, starting weights, a trainable sigmoid stack."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..gradients.norms import norm as norm_of
from ..gradients.stacks import StackGradients, stack_gradients
from ..output import plain
from ..runtime import tf
from ..widgets import GradientExplorer
from . import answers
from .tutor import Mistake, Unanswered, exercise, shown

SIGMOID: dict[str, Any] = {"activation": "sigmoid", "initializer": "glorot"}


@exercise(
    "A layer multiplies the gradient by the slope of its activation, among other things. "
    "How large is the slope of tanh where its input is near zero, and of a sigmoid?",
    "Glorot's weights keep a signal's size where the slope is near 1. Fifty factors a little "
    "under 1 make a product that is smaller, not tiny: what is 0.97 to the power of 50?",
)
def tanh(explorer: Any) -> str:
    """What do fifty tanh layers with Glorot's weights do to the gradient?"""
    if not isinstance(explorer, GradientExplorer):
        raise answers.wrong_kind(explorer, "the explorer in which you drew your guess")
    if not explorer.guess:
        raise Unanswered("draw the curve that you expect, with the two handles.")
    about, end = explorer.guess["setting"], explorer.guess["end"]
    setting = {"activation": "tanh", "initializer": "glorot", "depth": 50, "kind": "dense"}
    setting |= {"quantity": "signal_gradient", "normalization": False, "shortcut": False}
    if {name: about[name] for name in setting} != setting:
        raise Mistake(
            "another network",
            f"Your guess is about {about['depth']} {about['activation']} layers with "
            f"{about['initializer']} weights.",
            "Each network has a curve of its own.",
            "set the explorer to fifty dense tanh layers with Glorot's weights, and draw again.",
            "run the cell that makes the explorer again: it starts with the right setting.",
        )
    saw = f"From the loss to the input your curve {answers.change(10**end)}."
    if end > 1:
        raise Mistake(
            "grows",
            saw,
            "To grow on its way back, the gradient would need layers that multiply it by more "
            "than 1; the slope of tanh is never above 1, and Glorot's weights do not make up for "
            "it.",
            "think of what the slope of tanh can be at most, and where it is that.",
            "Glorot's weights keep the size of a signal, and the slope can only take from it.",
        )
    if end < -15:
        raise Mistake(
            "as the sigmoid",
            saw,
            "That is how a sigmoid stack falls. Both are S-shaped, but the gradient feels only "
            "their slopes.",
            "compute the slope of a sigmoid at zero, then that of tanh.",
            "one of the two slopes is 1/4, the other four times that. Take each to the 50th power.",
        )
    if end < -2:
        raise Mistake(
            "dies anyway",
            saw,
            f"So each layer would keep no more than {10 ** (end / 50):.2f} of the gradient. A "
            "slope near 1 keeps more.",
            "find the share that you expect a layer to keep, and take it to the 50th power.",
            "near zero tanh is almost a straight line of slope 1: there it takes next to nothing.",
        )
    ratios = [
        answers.end_ratio(50, seed=seed, activation="tanh", initializer="glorot")
        for seed in range(3)
    ]
    return (
        f"From the loss to the input your curve {answers.change(10**end)}. In three draws of the "
        f"weights the first layer gets {plain(min(ratios))} to {plain(max(ratios))} of the last "
        "one's gradient. The slope of tanh is 1 at zero, and the signals stay near it: the shape "
        "of the activation was never the trouble, its slope was."
    )


@tanh.solved_by
def drawn():
    from resnet_lesson import GradientExplorer

    setting = {"activation": "tanh", "depth": 50}
    explorer = GradientExplorer(guessing=True, **setting)
    rest = {"initializer": "glorot", "normalization": False, "shortcut": False, "kind": "dense"}
    rest |= {"order": "full_preactivation", "quantity": "signal_gradient"}
    explorer.guess = {"setting": setting | rest, "end": -1.0, "bend": 0.0}
    return explorer


@exercise(
    "What share of the gradient does one sigmoid layer keep? The first curve of the lesson tells.",
    "Solve 0.24 to the power of n = 1e-9 for n, with logarithms; between the first layer and the "
    "last lie one fewer layers than the stack has.",
)
def depth_below(layers: Any) -> str:
    """How many sigmoid layers until the first one's gradient is below 1e-9 of the last one's?"""
    given = answers.number(layers)
    ratios = [answers.end_ratio(depth, "weight_gradient", **SIGMOID) for depth in range(1, 25)]
    right = 1 + int(np.argmax(np.array(ratios) < 1e-9))
    if abs(given - right) <= 1:
        return (
            f"The stack of {right} layers is the first below 1e-9, with Glorot's weights as drawn "
            "here. A logarithm of the wanted share over a logarithm of a layer's share: the same "
            "division tells it of any stack whose curve is straight."
        )
    if not 1 <= given <= 200:
        raise Mistake(
            "no depth",
            f"You say `{plain(given, 3)}` layers.",
            "A stack has one layer or more, and the lesson's go to 200.",
            "count layers: how often must you multiply by 0.24 to come below 1e-9?",
            "the count is the logarithm of 1e-9 divided by that of 0.24, give or take a layer.",
        )
    reached = ratios[round(given) - 1] if given <= len(ratios) else 0.0
    saw = f"With {plain(given, 3)} layers " + (
        f"the first still gets about {plain(reached)} of the last one's gradient."
        if given < right
        else "the first gets far less than 1e-9 of the last one's gradient."
    )
    if 27 <= given <= 33:
        raise Mistake(
            "halves",
            saw,
            "That count fits a layer that halves the gradient; a sigmoid's slope is below a half "
            "everywhere, and Glorot's weights add nothing.",
            "read off the first curve what a layer leaves, and use that instead of a half.",
            "its steepest slope is 1/4: a layer costs about as much as two halvings.",
        )
    if 5 <= given <= 8:
        raise Mistake(
            "two logarithms",
            saw,
            "Dividing a logarithm to the base of ten by a natural one makes the count come out "
            "2.3 times too small.",
            "use one kind of logarithm on both sides of the division.",
            "`np.log(1e-9) / np.log(0.24)` has the same kind twice.",
        )
    if 50 <= given <= 62:
        raise Mistake(
            "zeros",
            saw,
            "That is about where the 32-bit numbers end in exact zeros. A gradient can be useless "
            "long before it is zero.",
            "look for 1e-9, not for the triangles, on the curve of twenty layers.",
            "twenty layers reach 1e-12 already, so the answer is less than twenty.",
        )
    few = given < right
    raise Mistake(
        "too few" if few else "too many",
        saw,
        "On a logarithmic axis the curve is straight, so the count is proportional to the decades.",
        f"take {'more' if few else 'fewer'} layers: twenty bring twelve decades, you need nine.",
        "twelve decades in twenty layers are 0.62 of a decade a layer.",
    )


@depth_below.solved_by
def layers_below():
    import numpy as np

    share = 0.24  # of the gradient that a layer leaves
    return 1 + np.log(1e-9) / np.log(share)


@exercise(
    "Which intermediate result leaves the range of 32-bit numbers: the entries, their squares, "
    "or the root?",
    "The range of float64 reaches to 1e-308. When must the entries become float64, so that their "
    "squares fit? (Or make the entries larger before you square them.)",
)
def norm(function: Any) -> str:
    """The norm that calls tiny gradients zero: mend it."""

    def of(values: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            return float(answers.array(answers.result_of(function, values.copy()), ()))

    three_four = np.array([3, 4], np.float32)
    if not np.isclose(of(three_four), 5, rtol=1e-5):
        if np.isclose(of(three_four), 4, rtol=1e-5):
            raise Mistake(
                "largest",
                "Of the entries 3 and 4 your norm is 4.",
                "The largest entry never underflows, but a norm adds up all of them: many small "
                "pulls make a strong one.",
                "keep the squares, their sum and the root.",
                "the largest entry can help as a scale: divide by it first, multiply by it last.",
            )
        raise Mistake(
            "other norm",
            f"Of the entries 3 and 4 your norm is `{plain(of(three_four), 6)}`.",
            "The Euclidean norm is the root of the sum of the squares, and 3 and 4 make 5.",
            "check your function on these two numbers first.",
            "square, sum, root, in this order; only the range of the numbers is to be mended.",
        )
    zeros = np.zeros(64, np.float32)
    if of(zeros) != 0:
        if np.isnan(of(zeros)):
            raise Mistake(
                "nan for zeros",
                "Of 64 zeros your norm is `nan`.",
                "A dead layer has zeros only. A division of zero by zero would call it undefined.",
                "ask what your function divides by, and when that is zero.",
                "return 0 early where the largest entry is 0, or do not divide at all.",
            )
        raise Mistake(
            "epsilon",
            f"Of 64 zeros your norm is `{plain(of(zeros))}`.",
            "Something added for safety puts a floor under every curve: a gradient that is gone "
            "would look alive.",
            "take the addition out, and find the line that leaves the range.",
            "nothing needs to be added if the squares never leave the range.",
        )
    tiny, huge = np.full(64, 1e-30, np.float32), np.full(64, 1e30, np.float32)
    if not np.isclose(of(tiny), 8e-30, rtol=1e-3, atol=0):
        raise Mistake(
            "underflow",
            f"Of 64 entries of 1e-30 your norm is `{plain(of(tiny))}`; it should be 8·10⁻³⁰.",
            "The entries are fine 32-bit numbers. A ruler that ends before they do makes a living "
            "layer look dead.",
            "print the intermediate results, and see which is the first to be zero.",
            "1e-30 squared is 1e-60, and 32-bit numbers end near 1e-45. Casting what is already "
            "zero brings nothing back.",
        )
    if not np.isclose(of(huge), 8e30, rtol=1e-3):
        raise Mistake(
            "overflow",
            f"Of 64 entries of 1e30 your norm is `{plain(of(huge))}`; it should be 8·10³⁰.",
            "Gradients explode, too, and their squares leave the range at the other end.",
            "let what mends the tiny ones mend the huge ones.",
            "a fixed scale helps at one end only; the largest entry is a scale that fits both.",
        )
    return (
        "Your norm calls 64 entries of 1e-30 by their name, 8·10⁻³⁰, as it does those of 1e30, and "
        "leaves zero a zero. What it says is about the gradient, and no longer about the ruler."
    )


@norm.solved_by
def mended(values):
    import numpy as np

    return np.sqrt(np.sum(values.astype(np.float64) ** 2))


@exercise(
    "He's rule asks: what share of the signal's square does the activation pass on? For ReLU it "
    "is a half, so the variance is 2 / fan_in.",
    "Of a signal that is as often positive as negative, a leaky ReLU passes the square of the "
    "positive half whole and that of the negative half times slope squared. The weights' "
    "variance, times fan_in, times that share, must be 1.",
)
def leaky(function: Any) -> str:
    """He's rule for a leaky ReLU: which deviation do the weights need?"""
    cases = [(64, 0.0), (256, 0.2), (128, 0.5), (128, 1.0)]
    deviations = np.array([answers.array(answers.result_of(function, *case), ()) for case in cases])
    fan_in, slope = np.array(cases).T
    variance = 2 / ((1 + slope**2) * fan_in)

    def equals(others: np.ndarray) -> bool:
        return bool(np.allclose(deviations, others, rtol=0.01, atol=0))

    if equals(np.sqrt(variance)):
        return (
            "Fifty leaky layers make the signal "
            f"{plain(_growth(deviations[2]))} times as large: level, but for the luck of the draw. "
            "With slope 0 your rule is He's, with slope 1 it is "
            "LeCun's for a linear layer: one idea, not three recipes."
        )
    if equals(variance):
        raise Mistake(
            "variance",
            f"For fan_in 64 and slope 0 you give `{plain(deviations[0], 4)}`.",
            "That is the variance. Weights are drawn by their standard deviation.",
            "ask what a number that multiplies `standard_normal` must be.",
            "the deviation is the root of the variance.",
        )
    if not (np.isfinite(deviations) & (deviations > 0)).all():
        raise Mistake(
            "no deviation",
            f"For slopes 0 to 1 you give `{', '.join(plain(value, 3) for value in deviations)}`.",
            "A standard deviation is a positive number.",
            "put in fan_in 64 and slope 0, for which He's rule gives the root of 2/64.",
            "start from He's rule, and ask what the slope changes in it.",
        )
    saw = (
        "With your deviation for slope 0.5 the signal of fifty layers "
        f"{answers.change(_growth(deviations[2]))}."
    )
    if equals(np.sqrt(2 / fan_in)):
        raise Mistake(
            "slope ignored",
            saw,
            "He's rule makes up for half of the square being lost. A leaky ReLU loses less, so the "
            "same weights make its signal explode.",
            "let your rule depend on the slope, so that at slope 1 nothing is made up for.",
            "which share of its square does the negative half keep, when multiplied by the slope?",
        )
    if equals(np.sqrt(1 / fan_in)):
        raise Mistake(
            "nothing made up for",
            saw,
            "One over fan_in keeps the size through the weights alone; what the activation takes "
            "away is taken fifty times.",
            "add to your rule what the activation costs.",
            "for slope 0 the rule must give the root of 2 / fan_in.",
        )
    if equals(np.sqrt(2 / ((1 + slope) * fan_in))) or equals(np.sqrt(2 / fan_in) / (1 + slope)):
        raise Mistake(
            "slope not squared",
            saw,
            "It is the squares that add up: a negative half that is halved keeps a quarter of its "
            "square.",
            "follow the mean square of the signal through the activation, not its size.",
            "with slope a the passed share is (1 + a squared) / 2.",
        )
    raise Mistake(
        "other rule",
        saw,
        "A growth of 1 is wanted: neither the signal nor its gradient is to change its size.",
        "for slope 0 compare with the root of 2 / fan_in, for slope 1 with that of 1 / fan_in.",
        "write the mean square after one layer as variance times fan_in times a share.",
    )


@leaky.solved_by
def deviation(fan_in, slope):
    import numpy as np

    passed = (1 + slope**2) / 2  # of the signal's mean square, through the activation
    return np.sqrt(1 / (passed * fan_in))


@exercise(
    "Two things hurt: the slope of the sigmoid, and that its output is never negative. Which part "
    "of this lesson carries a gradient past a layer unchanged?",
    "With a shortcut, `h + act(h @ weight)`, the stream grows by a half at every layer. What could "
    "you add, so that a branch with nothing to say adds nothing?",
)
def sigmoid_layer(layer: Any) -> str:
    """A hundred sigmoid layers that learn: write the layer."""
    stack = stack_gradients(100, **SIGMOID)
    calls = 0

    def act(values: tf.Tensor) -> tf.Tensor:
        nonlocal calls
        calls += 1
        return tf.sigmoid(values)

    h = tf.constant(stack.inputs)
    answers.array(answers.result_of(layer, h, tf.constant(stack.weights[0]), act), h.shape)
    if calls != 1:
        raise Mistake(
            "not one sigmoid",
            f"Your layer used its sigmoid `act` {calls} times.",
            "The task is to make sigmoids trainable, not to do without them: a linear stack would "
            "learn, and could be one layer.",
            "call `act` once in each layer, and change what happens around it.",
            "what `act` returns can be scaled, shifted, normed, or added to something.",
        )
    ratio, signal, accuracy = _trained(layer, stack)
    learned = f"After a few steps of training {accuracy:.0%} of the 128 digits are right"
    if accuracy > 0.4 and signal.mean() < 10:
        return (
            f"{learned}; at the start the first layer's gradient was {plain(ratio)} times the last "
            "one's. A hundred sigmoids, no other starting weights, and it learns."
        )
    if not np.isfinite([ratio, signal.mean()]).all():
        raise Mistake(
            "not finite",
            "The signal or its gradient is no longer a finite number.",
            "What grows a little a layer leaves the range of numbers within a hundred.",
            "print the largest entry of `h` after 1, 10 and 100 layers.",
            "what does your layer do to a signal that is twice as large? It should not double it "
            "and add.",
        )
    if ratio < 1e-6:
        raise Mistake(
            "vanishes",
            f"{learned}; before the first step the first layer gets {plain(ratio)} of the last "
            "one's gradient.",
            "The gradient has to pass every sigmoid on its way, and each slope takes three "
            "quarters or more.",
            "give the gradient a way back on which nothing multiplies it.",
            "what did the shortcut do in the laboratory?",
        )
    common, apart = _size(signal.mean(0)), _size(signal - signal.mean(0))
    arrives = f"the first layer's gradient is {plain(ratio)} times the last one's"
    if common > 1.5 * apart:
        raise Mistake(
            "drifts",
            f"{learned}. The gradient arrives ({arrives}), but at the end what all digits have in "
            f"common is {plain(common / apart)} times as large as what tells them apart.",
            "A sigmoid is never negative: about a half of what it returns is the same for every "
            "digit, and each layer adds that again.",
            "let a branch that has nothing to say add zero.",
            "a sigmoid is 1/2 at zero: shift it down, and perhaps scale it.",
        )
    if not _hands_on(layer, stack):
        raise Mistake(
            "level but deaf",
            f"{learned}, though the gradient arrives: {arrives}.",
            "A gradient that arrives is not yet one that helps: after so many saturated layers it "
            "may say nothing about the digit.",
            "keep a path on which the digit itself reaches the end.",
            "add what your layer computes to its input, in place of passing it on alone.",
        )
    added = _size(signal - stack.inputs) / _size(stack.inputs)
    if added < 0.3:
        raise Mistake(
            "adds too little",
            f"{learned}. Your layer hands its input on, but all that a hundred of them add is "
            f"{plain(added)} times as large as the digit.",
            "Where the layers add nearly nothing, a small step of training changes nearly nothing.",
            "let each layer add more of what its sigmoid says.",
            "the numbers that a sigmoid returns need not be made small before they are added.",
        )
    raise Mistake(
        "drowns",
        f"{learned}. Your layer hands its input on, but through a hundred of them the signal "
        f"{answers.change(_size(signal) / _size(stack.inputs))}, and {arrives}.",
        "The digit has its path; what is added on the way depends on the signal itself, and so "
        "gets out of hand from layer to layer.",
        "print the size of what one layer adds, beside that of `h`, after 1, 10 and 100 layers.",
        "a sigmoid alone cannot get large: what multiplies it in your layer?",
    )


@sigmoid_layer.solved_by
def layer(h, weight, act):
    return h + 2 * act(h @ weight) - 1  # 2 act - 1 is 0 where its input is


@exercise(
    "`stack_gradients(20, width=32, activation='sigmoid', initializer='glorot')` differentiates a "
    "stack of another width. From the gradient of the signal at both ends, how do you get a factor "
    "a layer?",
    "Between 20 layers lie 19 steps: the 19th root of the ratio of the first layer's gradient to "
    "the last one's. Do it for a narrow, a middling and a wide stack.",
)
def width(factors: Any) -> str:
    """Does a sigmoid's factor a layer depend on the width?"""
    found = answers.table(factors, "a dict of widths and their factors")
    widths = list(found)
    if not answers.is_range(widths, 1, 1024):
        raise Mistake(
            "few widths",
            f"You looked at the widths `{shown([round(key) for key in widths])}`.",
            "Whether something depends on the width shows over a range of widths, from 1 to 1,024.",
            "take three widths or more, the largest at least four times the smallest.",
            "16, 64 and 256 are a good start.",
        )
    for key, value in found.items():
        _check_factor(int(key), value)
    least, most = min(found.values()), max(found.values())
    if least == most:
        raise Mistake(
            "all the same",
            f"All your factors are exactly {plain(least, 6)}.",
            "The weights are drawn at random, so measured factors differ a little between widths.",
            "measure each width, and pass the factors with all their digits.",
            "`stack_gradients(20, width=width, ...)` in a loop over the widths.",
        )
    return (
        f"Your factors lie between {least:.3f} and {most:.3f}, and mine agree. From a width of "
        f"{widths[0]:.0f} to {widths[-1]:.0f} the width is nearly a null: Glorot's rule divides it "
        "out. A null is a finding. Does it hold for one unit? For another seed, for ReLU?"
    )


def _check_factor(width: int, given: float) -> None:
    """Raise a Mistake unless given is the factor a layer of a stack of this width."""
    draws = [answers.end_ratio(20, width=width, **SIGMOID)]
    if answers.near(given, draws[0] ** (1 / 19), within=0.01):
        return
    draws += [answers.end_ratio(20, seed=seed, width=width, **SIGMOID) for seed in (1, 2)]
    factors = [draw ** (1 / 19) for draw in draws]
    apart = max(factors) - min(factors)  # another seed may be as far from these
    if min(factors) - apart <= given <= max(factors) + apart:
        return
    saw = f"For width {width} you give `{plain(given, 3)}`."
    if 0.5 * min(draws) <= given <= 2 * max(draws):
        raise Mistake(
            "end to end",
            saw,
            "That is what all layers together do. A factor a layer can be compared between stacks "
            "of any depth.",
            "spread the ratio over the layers: what number, multiplied by itself, gives it?",
            "the 19th root of the ratio, for 20 layers.",
        )
    if given > 0 and 0.95 * min(factors) <= 1 / given <= 1.05 * max(factors):
        raise Mistake(
            "upside down",
            saw,
            "The gradient travels from the last layer to the first, and gets smaller on its way.",
            "divide the first layer's by the last layer's.",
            "row 0 of the norms is the layer nearest the input.",
        )
    raise Mistake(
        "other factor",
        saw,
        "I measure another one, over three seeds, with `stack_gradients(20, ...)`.",
        "check the activation, the initialiser and the quantity: sigmoid, Glorot, the signal's "
        "gradient.",
        "`(g[0] / g[-1]) ** (1 / 19)` with `g = stack_gradients(...).signal_gradient`.",
    )


@width.solved_by
def factors():
    from resnet_lesson import stack_gradients

    found = {}
    for width in (16, 64, 256):
        stack = stack_gradients(20, width=width, activation="sigmoid", initializer="glorot")
        found[width] = (stack.signal_gradient[0] / stack.signal_gradient[-1]) ** (1 / 19)
    return found


def _growth(deviation: float, slope: float = 0.5, width: int = 128, depth: int = 50) -> float:
    """How much the signal grows through leaky layers with weights of this deviation."""
    random = np.random.default_rng(0)
    h = random.standard_normal((256, width))
    start = np.sqrt(np.mean(h**2))
    for _ in range(depth):
        h = h @ (deviation * random.standard_normal((width, width)))
        h = np.where(h > 0, h, slope * h)
    return float(np.sqrt(np.mean(h**2)) / start)


def _size(values: np.ndarray) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _hands_on(layer: Callable[..., Any], stack: StackGradients) -> bool:
    """Whether a layer with weights of zero returns its input, but for the same offset for all."""
    zeros = tf.zeros_like(stack.weights[0])
    added = np.asarray(layer(tf.constant(stack.inputs), zeros, tf.sigmoid)) - stack.inputs
    return _size(added - added.mean(0)) < 0.05 * _size(stack.inputs)


def _trained(
    layer: Callable[..., Any],
    stack: StackGradients,
    steps: int = 8,
    rate: float = 5e-3,
    decay: tuple[float, float] = (0.9, 0.999),
) -> tuple[float, np.ndarray, float]:
    """Train a stack of a learner's layers with Adam, all weights in one variable for speed.

    Returns:
        The first layer's gradient over the last one's, and the last signal, both before the first
        step; the accuracy on the batch after the last step.
    """
    weights, readout = tf.Variable(stack.weights), tf.constant(stack.readout)
    x, labels = tf.constant(stack.inputs), tf.constant(stack.labels)
    mean = square = tf.zeros_like(weights)
    for step in range(1, steps + 2):
        with tf.GradientTape() as tape:
            h = x
            for weight in tf.unstack(weights):
                h = layer(h, weight, tf.sigmoid)
            logits = h @ readout
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        gradient = tape.gradient(loss, weights)
        if gradient is None:
            raise Mistake(
                "no way back",
                "TensorFlow finds no path from the loss to the weights.",
                "It follows its own operations; what NumPy computes, it cannot differentiate.",
                "write the layer with TensorFlow's operations, and use all three arguments.",
                "`@`, `+`, `*` and `act` work on tensors as they are.",
            )
        if step == 1:
            first, last = norm_of(gradient[0]), norm_of(gradient[-1])
            ratio, signal = first / last if last else 0.0, np.asarray(h)
        mean = decay[0] * mean + (1 - decay[0]) * gradient
        square = decay[1] * square + (1 - decay[1]) * gradient**2
        unbiased = mean / (1 - decay[0] ** step), square / (1 - decay[1] ** step)
        weights.assign_sub(rate * unbiased[0] / (tf.sqrt(unbiased[1]) + 1e-7))
    accuracy = float(np.mean(np.argmax(logits, axis=1) == stack.labels))
    return ratio, signal, accuracy
