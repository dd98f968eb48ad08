"""Answers that learners give, and the Mistake that each should get."""

import numpy as np

from resnet_lesson import GradientExplorer, stack_gradients
from resnet_lesson.runtime import tf


def guessed(end, **others):
    setting = {"activation": "tanh", "depth": 50, "initializer": "glorot", "kind": "dense"}
    setting |= {"normalization": False, "shortcut": False, "order": "full_preactivation"}
    setting |= {"quantity": "signal_gradient"} | others
    explorer = GradientExplorer(guessing=True)
    explorer.guess = {"setting": setting, "end": end, "bend": 0.0}
    return explorer


def ratios(root=19, quantity="signal_gradient", upside_down=False, widths=(16, 64, 256)):
    def factor(width):
        stack = stack_gradients(20, width=width, activation="sigmoid", initializer="glorot")
        norms = getattr(stack, quantity)
        ratio = norms[-1] / norms[0] if upside_down else norms[0] / norms[-1]
        return ratio ** (1 / root)

    return {width: factor(width) for width in widths}


def normed(h):
    mean, variance = tf.nn.moments(h, axes=[0])
    return (h - mean) * tf.math.rsqrt(variance + 1e-5)


WRONG = {
    "tanh": [
        ("as the sigmoid", "only their slopes", lambda: guessed(-30.0)),
        ("dies anyway", "A slope near 1 keeps more", lambda: guessed(-8.0)),
        ("grows", "never above 1", lambda: guessed(6.0)),
        ("another network", "50 sigmoid layers", lambda: guessed(-1.0, activation="sigmoid")),
    ],
    "depth_below": [
        ("halves", "below a half everywhere", lambda: 30),
        ("two logarithms", "2.3 times too small", lambda: 7),
        ("zeros", "exact zeros", lambda: 56),
        ("too many", "take fewer layers", lambda: 20),
        ("too few", "take more layers", lambda: 12),
        ("no depth", "one layer or more", lambda: 0),
        ("kind", "pass a number", lambda: "sixteen"),
    ],
    "norm": [
        ("underflow", "a living layer look dead", lambda: lambda v: np.sqrt(np.sum(v**2))),
        (
            "underflow",
            "1e-30",  # the cast comes too late
            lambda: lambda v: np.sqrt(np.sum((v**2).astype(np.float64))),
        ),
        ("epsilon", "puts a floor", lambda: lambda v: np.sqrt(np.sum(v**2) + 1e-12)),
        ("largest", "adds up all of them", lambda: lambda v: np.max(np.abs(v))),
        (
            "nan for zeros",
            "dead layer",
            lambda: lambda v: v.max() * np.sqrt(np.sum((v / v.max()) ** 2)),
        ),
        (
            "overflow",
            "explode, too",
            lambda: lambda v: np.sqrt(np.sum((v * np.float32(1e15)) ** 2)) / np.float32(1e15),
        ),
        ("other norm", "3 and 4 make 5", lambda: lambda v: np.sum(np.abs(v))),
    ],
    "leaky": [
        ("slope ignored", "loses less", lambda: lambda n, a: np.sqrt(2 / n)),
        ("variance", "standard deviation", lambda: lambda n, a: 2 / ((1 + a**2) * n)),
        ("nothing made up for", "taken fifty times", lambda: lambda n, a: np.sqrt(1 / n)),
        ("nothing made up for", "shrinks to 5.6·10⁻⁶ of", lambda: lambda n, a: np.sqrt(1 / n)),
        ("slope ignored", "grows to about 190 times", lambda: lambda n, a: np.sqrt(2 / n)),
        ("slope not squared", "keeps a quarter", lambda: lambda n, a: np.sqrt(2 / ((1 + a) * n))),
        ("no deviation", "a positive number", lambda: lambda n, a: 0.0 * n),
        ("other rule", "growth of 1", lambda: lambda n, a: 0.05),
    ],
    "sigmoid_layer": [
        ("vanishes", "three quarters or more", lambda: lambda h, w, act: act(h @ w)),
        ("vanishes", "a way back", lambda: lambda h, w, act: (h + act(h @ w)) / 2),
        ("drifts", "never negative", lambda: lambda h, w, act: h + act(h @ w)),
        ("drifts", "what all digits have in common", lambda: lambda h, w, act: h + act(h) @ w),
        ("drifts", "a branch that has nothing to say", lambda: lambda h, w, act: h - act(h) @ w),
        (
            "adds too little",
            "hands its input on",
            lambda: lambda h, w, act: h + 0.001 * (2 * act(h @ w) - 1),
        ),
        ("drowns", "grows to about", lambda: lambda h, w, act: h + (h @ w) * act(h)),
        ("drowns", "shrinks to 0.", lambda: lambda h, w, act: 2 * h * act(h @ w)),
        ("level but deaf", "not yet one that helps", lambda: lambda h, w, act: 4 * act(h @ w) - 2),
        ("not one sigmoid", "without them", lambda: lambda h, w, act: h + tf.nn.relu(h @ w)),
        ("not finite", "a hundred", lambda: lambda h, w, act: 10 * h + act(h @ w)),
        ("no way back", "NumPy", lambda: lambda h, w, act: h.numpy() + act(h.numpy() @ w.numpy())),
    ],
    "width": [
        ("few widths", "over a range", lambda: ratios(widths=(64, 65, 66))),
        ("end to end", "any depth", lambda: ratios(root=1)),
        ("upside down", "gets smaller", lambda: ratios(upside_down=True)),
        ("other factor", "check the activation", lambda: {16: 0.5, 64: 0.5, 256: 0.5}),
        ("other factor", "For width 64 you give `0.5`", lambda: ratios() | {64: 0.5}),
        ("all the same", "are exactly 0.235", lambda: dict.fromkeys((16, 64, 256), 0.235)),
        ("other factor", "For width 16 you give `0`", lambda: ratios() | {16: 0}),
    ],
}
