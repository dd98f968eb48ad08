"""Shattered gradients: how alike are the gradients of neighbouring inputs?

After Balduzzi et al. 2017, arXiv 1702.08591: in a deep plain network of ReLUs, they look
like white noise; shortcuts with batch normalisation slow that.
"""

from typing import Any

import numpy as np

from .engine import Study, product
from .record import Row

WIDTH = 200  # ReLUs in a layer, as in the paper
POINTS = 256  # on the line, as in the paper
LAGS = (1, 2, 5, 10, 20, 50)
# Network -> (with BN, with shortcuts).
NETWORKS = {"plain": (False, False), "plain_bn": (True, False), "residual_bn": (True, True)}


def measure(network: str, depth: int, seed: int) -> list[Row]:
    """One row for each ``lag``: ``correlation`` of input gradients so many points apart.

    The points lie evenly on a straight line from one digit to another, and the network is the
    dense stack of ``stack_gradients`` in float64. The paper moves a single number, and takes the
    autocorrelation of a single derivative; we take that of all entries of the gradient together.
    """
    from ..gradients.stacks import stack_gradients

    stack = stack_gradients(depth, width=WIDTH, seed=seed)
    points = line(stack.inputs[0], stack.inputs[1], POINTS)
    gradients = input_gradients(points, stack.inputs, stack.weights, stack.readout, network)
    return [{"lag": lag, "correlation": autocorrelation(gradients, lag)} for lag in LAGS]


def line(start: np.ndarray, end: np.ndarray, points: int) -> np.ndarray:
    """(points, width), evenly from start (width,) to end (width,)."""
    return start + np.linspace(0, 1, points)[:, np.newaxis] * (end - start)


def output(
    points: Any, digits: np.ndarray, weights: np.ndarray, readout: np.ndarray, network: str
) -> Any:
    """(n, width) -> (n,): the first of the stack's outputs at each point.

    BN takes its statistics from the digits (batch, width), not from the points: the output at a
    point then depends on that point alone, and so does its gradient.
    """
    from ..runtime import tf

    normalization, shortcut = NETWORKS[network]
    count = len(points)

    def activated(h: Any) -> Any:
        if normalization:
            mean, variance = tf.nn.moments(h[count:], axes=[0])
            h = (h - mean) * tf.math.rsqrt(variance + 2e-5)
        return tf.nn.relu(h)

    h = tf.concat([points, tf.cast(digits, tf.float64)], axis=0)
    for weight in tf.unstack(tf.cast(weights, tf.float64)):
        branch = activated(h) @ weight
        h = h + branch if shortcut else branch
    return tf.linalg.matvec(activated(h)[:count], tf.cast(readout[:, 0], tf.float64))


def input_gradients(
    points: np.ndarray, digits: np.ndarray, weights: np.ndarray, readout: np.ndarray, network: str
) -> np.ndarray:
    """(n, width): the gradient of ``output`` at each point with respect to that point."""
    from ..runtime import tf

    x = tf.constant(points, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = output(x, digits, weights, readout, network)
    return tape.gradient(outputs, x).numpy()


def autocorrelation(series: np.ndarray, lag: int) -> float:
    """How vectors (n, width) correlate with those ``lag`` rows on.

    The mean inner product of two vectors so far apart, over that of a vector with itself, after
    the mean over all rows is subtracted: 1 where nothing changes, about 0 for white noise.
    """
    centred = series - series.mean(axis=0)
    together = np.sum(centred[:-lag] * centred[lag:], axis=1)
    return float(np.mean(together) / np.mean(np.sum(centred**2, axis=1)))


STUDY = Study(
    name="shattering",
    question="Do the gradients of neighbouring inputs agree, and how deep?",
    grid=product(network=tuple(NETWORKS), depth=(2, 10, 50, 100)),
    measure=measure,
)
