"""Exercises of notebook 1: slopes, norms, starting weights, a sigmoid stack that trains."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..gradients.norms import norm as norm_of
from ..gradients.stacks import StackGradients, stack_gradients
from ..output import plain
from ..runtime import tf
from ..widgets import GradientExplorer
from . import answers
from .tutor import Mistake, Unanswered, exercise

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
            "That is how a sigmoid stack falls. Both functions are S-shaped, but what multiplies "
            "the gradient is their slope.",
            "compute the slope of a sigmoid at zero, then that of tanh.",
            "one slope is 1/4, and the other is 1. Take each to the 50th power.",
        )
    if end < -2:
        raise Mistake(
            "dies anyway",
            saw,
            f"So each layer would keep no more than {10 ** (end / 50):.2f} of the gradient. A "
            "slope near 1 keeps more.",
            "find the share that you expect a layer to keep, and take it to the 50th power.",
            "near zero, tanh is almost a straight line of slope 1. There it takes almost nothing "
            "away.",
        )
    ratios = [
        answers.end_ratio(50, seed=seed, activation="tanh", initializer="glorot")
        for seed in range(3)
    ]
    return (
        f"From the loss to the input your curve {answers.change(10**end)}. In three draws of the "
        f"weights the first layer gets {plain(min(ratios))} to {plain(max(ratios))} of the last "
        "one's gradient. The slope of tanh is 1 at zero, and the signals stay near zero. So the "
        "S-shape of a sigmoid is not the trouble. Its small slope is."
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
                "The largest entry never underflows, but a norm adds up all entries, and many "
                "small ones make a large norm.",
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
                "Where no gradient arrives, all entries are zero. Zero divided by zero is "
                "undefined.",
                "ask what your function divides by, and when that is zero.",
                "return 0 early where the largest entry is 0, or do not divide at all.",
            )
        raise Mistake(
            "epsilon",
            f"Of 64 zeros your norm is `{plain(of(zeros))}`.",
            "A number added for safety is a floor under every curve. A gradient that is exactly "
            "zero would look as if it were not.",
            "take the addition out, and find the line that leaves the range.",
            "nothing needs to be added if the squares never leave the range.",
        )
    tiny, huge = np.full(64, 1e-30, np.float32), np.full(64, 1e30, np.float32)
    if not np.isclose(of(tiny), 8e-30, rtol=1e-3, atol=0):
        raise Mistake(
            "underflow",
            f"Of 64 entries of 1e-30 your norm is `{plain(of(tiny))}`; it should be 8·10⁻³⁰.",
            "32-bit numbers hold these entries well. A norm that is zero where they are not shows "
            "a vanished gradient that has not vanished.",
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
        "Of 64 entries of 1e-30 your norm is 8·10⁻³⁰, and of 64 zeros it is zero. Entries of 1e30 "
        "do not overflow. What it reports is now a property of the gradient, not of the 32-bit "
        "numbers."
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
            "With your rule and a slope of 0.5, fifty leaky layers make the signal "
            f"{plain(_growth(deviations[2]))} times as large. That is level, except for chance. "
            "With slope 0 your rule is He's, and with slope 1 it is LeCun's for a linear layer. "
            "All of them follow from one idea: keep the mean square."
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
            "A variance of one over fan_in makes up for the weights alone. What the activation "
            "takes away is taken fifty times.",
            "add to your rule what the activation costs.",
            "for slope 0 the rule must give the root of 2 / fan_in.",
        )
    if equals(np.sqrt(2 / ((1 + slope) * fan_in))) or equals(np.sqrt(2 / fan_in) / (1 + slope)):
        raise Mistake(
            "slope not squared",
            saw,
            "The squares are what adds up. A negative number that is halved keeps a quarter of its "
            "square.",
            "follow the mean square of the signal through the activation, not its size.",
            "with slope a the passed share is (1 + a squared) / 2.",
        )
    raise Mistake(
        "other rule",
        saw,
        "A growth of 1 is wanted. Neither the signal nor its gradient is to change its size.",
        "for slope 0 compare with the root of 2 / fan_in, for slope 1 with that of 1 / fan_in.",
        "write the mean square after one layer as variance times fan_in times a share.",
    )


@leaky.solved_by
def deviation(fan_in, slope):
    import numpy as np

    passed = (1 + slope**2) / 2  # of the signal's mean square, through the activation
    return np.sqrt(1 / (passed * fan_in))


@exercise(
    "A layer multiplies the gradient by the slope of its sigmoids and by its weights. Try a few "
    "gains with `factor_a_layer`, such as 1, 4 and 20. Between which two does 1 lie?",
    "If every slope were a quarter, a gain of 4 would make up for it. Larger weights bring larger "
    "inputs, and there a sigmoid is flatter. So the gain has to make up for more than that.",
)
def sigmoid_weights(gain: Any) -> str:
    """How large must the weights of a sigmoid stack be, so that its gradient is level?"""
    given = answers.number(gain)
    if given > 1000:
        raise Mistake(
            "too large",
            f"Your gain is {plain(given, 3)}.",
            "With such weights nearly every sigmoid is 0 or 1, and its slope is almost zero.",
            "take a gain below 100, and measure again.",
            "compare the gains 1, 4 and 20, and look at how the factor changes.",
        )
    if given <= 0:
        raise Mistake(
            "no gain",
            f"Your gain is `{plain(given, 3)}`.",
            "A gain multiplies a standard deviation, and a standard deviation is positive.",
            "begin with a gain of 1, which gives Glorot's weights.",
            "compare the gains 1, 4 and 20, and look at how the factor changes.",
        )
    factor, slope = _sigmoid_factor(given)
    kept = (
        f"With a gain of {plain(given, 3)}, a layer multiplies the gradient by about {factor:.2f}."
    )
    if 0.93 <= factor <= 1.07:
        return (
            f"{kept} A gain of 4 is not enough, although a sigmoid's steepest slope is a quarter. "
            "Large weights drive most sigmoids into their flat parts, and the typical slope here "
            f"is only about {slope:.2f}. So the weights of a layer matter as much as its slope. "
            "But such a stack has a price: most of its sigmoids are close to 0 or 1."
        )
    if 3.5 <= given <= 4.5:
        raise Mistake(
            "slope at zero",
            kept,
            "A sigmoid has the slope of a quarter only where its input is zero. Weights four times "
            "as large also make the inputs larger, and there the slope is smaller.",
            "increase the gain further, and look at the factor each time.",
            f"the typical slope at your gain is {slope:.2f}: four times that is far below 1.",
        )
    if 1.15 <= given <= 1.6:
        raise Mistake(
            "deviation",
            kept,
            "Perhaps you give the standard deviation itself. The gain is that deviation times 8, "
            "the root of 64 inputs.",
            "multiply your standard deviation by the root of the number of inputs.",
            "the deviation is `gain / 8`, so the gain is eight times the deviation.",
        )
    if factor < 1:
        raise Mistake(
            "too small",
            kept,
            "Such factors multiply: a little below 1 in each layer is almost nothing after a "
            "hundred layers.",
            "take a larger gain, and measure again.",
            "look for two gains with a factor below 1 and above 1, and try the middle of them.",
        )
    raise Mistake(
        "too large",
        kept,
        "Such factors multiply, too: a little above 1 in each layer explodes after a hundred "
        "layers.",
        "take a smaller gain, and measure again.",
        "look for two gains with a factor below 1 and above 1, and try the middle of them.",
    )


@sigmoid_weights.solved_by
def gain():
    return 10.5  # found by trying: 10 is a little too small, 12 a little too large


@exercise(
    "Two properties of a sigmoid do harm: its small slope, and that its output is never negative. "
    "Which switch of the explorer lets a gradient pass a layer unchanged?",
    "With a shortcut, `h + act(h @ weight)`, every layer adds about a half to each unit. How can "
    "you change the sigmoid's output, so that it is zero where its input is zero?",
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
            "The task is to train a stack of sigmoids, not to do without them. A linear stack "
            "would learn, but it is no more than one layer.",
            "call `act` once in each layer, and change what happens around it.",
            "what `act` returns can be scaled, shifted, normed, or added to something.",
        )
    ratio, signal, accuracy = _trained(layer, stack)
    learned = f"After a few steps of training {accuracy:.0%} of the 128 digits are right"
    if accuracy > 0.4 and signal.mean() < 10:
        return (
            f"{learned}. At the start, the first layer's gradient was {plain(ratio)} times the "
            "last one's. So a hundred sigmoid layers can learn, with Glorot's weights."
        )
    if not np.isfinite([ratio, signal.mean()]).all():
        raise Mistake(
            "not finite",
            "The signal or its gradient is no longer a finite number.",
            "A signal that grows in each layer can leave the range of the numbers within a hundred "
            "layers.",
            "print the largest entry of `h` after 1, 10 and 100 layers.",
            "what does your layer do to a signal that is twice as large? It should not multiply "
            "it.",
        )
    if ratio < 1e-6:
        raise Mistake(
            "vanishes",
            f"{learned}; before the first step the first layer gets {plain(ratio)} of the last "
            "one's gradient.",
            "The gradient has to pass every sigmoid on its way, and each slope takes three "
            "quarters of it or more.",
            "give the gradient a way back on which nothing multiplies it.",
            "what did the switch called Shortcut do in the explorer?",
        )
    common, apart = _size(signal.mean(0)), _size(signal - signal.mean(0))
    arrives = f"the first layer's gradient is {plain(ratio)} times the last one's"
    if common > 1.5 * apart:
        raise Mistake(
            "drifts",
            f"{learned}. The gradient arrives ({arrives}), but at the end what all digits have in "
            f"common is {plain(common / apart)} times as large as what tells them apart.",
            "A sigmoid is never negative. It returns about a half for every digit, and each layer "
            "adds this half again.",
            "make what a layer adds zero on average over the digits.",
            "a sigmoid is 1/2 at zero: shift it down, and perhaps scale it.",
        )
    if not _hands_on(layer, stack):
        raise Mistake(
            "level but useless",
            f"{learned}, though the gradient arrives: {arrives}.",
            "A gradient that arrives does not always help. After so many saturated layers, the "
            "signal may no longer depend on the digit.",
            "give the digit itself a path to the end.",
            "add what your layer computes to its input, instead of replacing the input.",
        )
    added = _size(signal - stack.inputs) / _size(stack.inputs)
    if added < 0.3:
        raise Mistake(
            "adds too little",
            f"{learned}. Your layer hands its input on, but all that a hundred of them add is "
            f"{plain(added)} times as large as the digit.",
            "Where the layers add nearly nothing, a small step of training changes nearly nothing.",
            "let each layer add more of its sigmoid's output.",
            "a sigmoid's output is between 0 and 1, so it need not be made smaller.",
        )
    raise Mistake(
        "drowns",
        f"{learned}. Your layer hands its input on, but through a hundred of them the signal "
        f"{answers.change(_size(signal) / _size(stack.inputs))}, and {arrives}.",
        "The digit has a path to the end. But what your layer adds grows or shrinks with the "
        "signal itself, and this repeats in every layer.",
        "print the size of what one layer adds, beside that of `h`, after 1, 10 and 100 layers.",
        "a sigmoid alone cannot become large. What multiplies it in your layer?",
    )


@sigmoid_layer.solved_by
def layer(h, weight, act):
    return h + 2 * act(h @ weight) - 1  # 2 act - 1 is 0 where its input is


def _sigmoid_factor(gain: float, depth: int = 30, width: int = 64) -> tuple[float, float]:
    """By how much a sigmoid layer multiplies the gradient, and its typical slope.

    Over five draws: the geometric mean of the factors, the root of the mean square of the slopes.
    """
    factors, squares = [], []
    for seed in range(5):
        random = np.random.default_rng(seed)
        h = random.standard_normal((128, width))
        gradient = random.standard_normal((128, width))
        layers = []
        for _ in range(depth):
            weight = gain / np.sqrt(width) * random.standard_normal((width, width))
            h = (1 + np.tanh(h @ weight / 2)) / 2  # a sigmoid that cannot overflow
            layers.append((weight, h * (1 - h)))
        start = _size(gradient)
        for weight, slope in reversed(layers):
            gradient = (gradient * slope) @ weight.T
            squares.append(np.mean(slope**2))
        factors.append((_size(gradient) / start) ** (1 / depth))
    with np.errstate(divide="ignore"):
        return float(np.exp(np.mean(np.log(factors)))), float(np.sqrt(np.mean(squares)))


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
