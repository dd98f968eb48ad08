"""Answers that learners give, and the Mistake that each should get."""

import numpy as np

from resnet_lesson import GradientExplorer
from resnet_lesson.runtime import tf


def guessed(end, **others):
    setting = {"activation": "tanh", "depth": 50, "initializer": "glorot", "kind": "dense"}
    setting |= {"normalization": False, "shortcut": False, "order": "full_preactivation"}
    setting |= {"quantity": "signal_gradient"} | others
    explorer = GradientExplorer(guessing=True)
    explorer.guess = {"setting": setting, "end": end, "bend": 0.0}
    return explorer


def normed(h):
    mean, variance = tf.nn.moments(h, axes=[0])
    return (h - mean) * tf.math.rsqrt(variance + 1e-5)


WRONG = {
    "tanh": [
        ("as the sigmoid", "is their slope", lambda: guessed(-30.0)),
        ("dies anyway", "A slope near 1 keeps more", lambda: guessed(-8.0)),
        ("grows", "never above 1", lambda: guessed(6.0)),
        ("another network", "50 sigmoid layers", lambda: guessed(-1.0, activation="sigmoid")),
    ],
    "norm": [
        ("underflow", "that has not vanished", lambda: lambda v: np.sqrt(np.sum(v**2))),
        (
            "underflow",
            "1e-30",  # the cast comes too late
            lambda: lambda v: np.sqrt(np.sum((v**2).astype(np.float64))),
        ),
        (
            "epsilon",
            "is a floor under every curve",
            lambda: lambda v: np.sqrt(np.sum(v**2) + 1e-12),
        ),
        ("largest", "adds up all entries", lambda: lambda v: np.max(np.abs(v))),
        (
            "nan for zeros",
            "Where no gradient arrives",
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
        ("vanishes", "takes three quarters of it", lambda: lambda h, w, act: act(h @ w)),
        ("vanishes", "a way back", lambda: lambda h, w, act: (h + act(h @ w)) / 2),
        ("drifts", "never negative", lambda: lambda h, w, act: h + act(h @ w)),
        ("drifts", "what all digits have in common", lambda: lambda h, w, act: h + act(h) @ w),
        ("drifts", "zero on average over the digits", lambda: lambda h, w, act: h - act(h) @ w),
        (
            "adds too little",
            "hands its input on",
            lambda: lambda h, w, act: h + 0.001 * (2 * act(h @ w) - 1),
        ),
        ("drowns", "grows to about", lambda: lambda h, w, act: h + (h @ w) * act(h)),
        ("drowns", "shrinks to 0.", lambda: lambda h, w, act: 2 * h * act(h @ w)),
        ("level but useless", "does not always help", lambda: lambda h, w, act: 4 * act(h @ w) - 2),
        ("not one sigmoid", "without them", lambda: lambda h, w, act: h + tf.nn.relu(h @ w)),
        ("not finite", "a hundred", lambda: lambda h, w, act: 10 * h + act(h @ w)),
        ("no way back", "NumPy", lambda: lambda h, w, act: h.numpy() + act(h.numpy() @ w.numpy())),
    ],
    "sigmoid_weights": [
        ("too small", "almost nothing", lambda: 1),
        ("slope at zero", "a layer multiplies the gradient by about 0.62", lambda: 4),
        ("deviation", "root of 64 inputs", lambda: 10.5 / 8),
        ("too small", "by about 0.86", lambda: 8),
        ("too large", "explodes", lambda: 15),
        ("too large", "0 or 1", lambda: 1e300),
        ("no gain", "is positive", lambda: -10),
        ("kind", "pass a number", lambda: "ten"),
    ],
}
