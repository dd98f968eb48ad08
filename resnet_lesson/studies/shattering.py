"""Shattered gradients: how alike are the gradients of neighbouring inputs?

After Balduzzi et al. 2017, arXiv 1702.08591: in a deep plain network of rectifiers, they look
like white noise; shortcuts with norms slow that.
"""

import numpy as np

from .engine import Study, product

WIDTH = 200  # rectifiers in a layer, as in the paper
POINTS = 256  # on the line, as in the paper
LAGS = (1, 2, 5, 10, 20, 50)
# Network -> (with norms, with shortcuts).
NETWORKS = {"plain": (False, False), "plain_bn": (True, False), "residual_bn": (True, True)}


def measure(network, depth, seed):
    """One line a ``lag``: ``correlation`` of input gradients so many points apart.

    The points lie evenly on a straight line from one digit to another, and the network is the
    dense stack of ``stack_gradients`` in float64. The paper moves a single number, and takes the
    autocorrelation of a single derivative; we take that of all entries of the gradient together.
    """
    from ..gradients.stacks import stack_gradients

    stack = stack_gradients(depth, width=WIDTH, seed=seed)
    gradients = input_gradients(
        line(*stack.inputs[:2], POINTS), stack.inputs, stack.weights, stack.readout, network
    )
    return [{"lag": lag, "correlation": autocorrelation(gradients, lag)} for lag in LAGS]


def line(start, end, points):
    """(points, width), evenly from start (width,) to end (width,)."""
    return start + np.linspace(0, 1, points)[:, np.newaxis] * (end - start)


def output(points, digits, weights, readout, network):
    """(n, width) -> (n,): the first of the stack's outputs at each point.

    Norms take their statistics from the digits (batch, width), not from the points: what comes
    out at a point then depends on that point alone, and its gradient is one of its own.
    """
    from ..runtime import tf

    normalization, shortcut = NETWORKS[network]
    count = len(points)

    def activated(h):
        if normalization:
            mean, variance = tf.nn.moments(h[count:], axes=[0])
            h = (h - mean) * tf.math.rsqrt(variance + 2e-5)
        return tf.nn.relu(h)

    h = tf.concat([points, tf.cast(digits, tf.float64)], axis=0)
    for weight in tf.unstack(tf.cast(weights, tf.float64)):
        branch = activated(h) @ weight
        h = h + branch if shortcut else branch
    return tf.linalg.matvec(activated(h)[:count], tf.cast(readout[:, 0], tf.float64))


def input_gradients(points, digits, weights, readout, network):
    """(n, width): the gradient of ``output`` at each point with respect to that point."""
    from ..runtime import tf

    points = tf.constant(points, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(points)
        outputs = output(points, digits, weights, readout, network)
    return tape.gradient(outputs, points).numpy()


def autocorrelation(series, lag):
    """How vectors (n, width) correlate with those ``lag`` rows on.

    The mean inner product of two so far apart, over that of one with itself, after the mean over
    all rows is taken off: 1 where nothing changes, about 0 for white noise.
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
