"""Gradients of a stack of equal dense layers, at any depth, fast enough to follow a slider.

The layers are equal, so the stack is a loop over stacked weights: TensorFlow compiles one loop
body for a set of options, and depth is only how often it runs. Going back, each layer is
differentiated by TensorFlow where it stands, from the signal that was kept at its input.
"""

import functools
from dataclasses import dataclass

import numpy as np

from .data import load
from .runtime import tf

MAX_DEPTH = 200
ACTIVATIONS = {
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "gelu": tf.nn.gelu,
    "linear": tf.identity,
}
INITIALIZERS = ("he", "glorot", "small", "orthogonal")
CLASSES = 10


@dataclass(frozen=True)
class StackGradients:
    """Norms by layer, input side first, each an array of shape (depth,)."""

    weight_gradient: np.ndarray  # norm of dL/dW of each layer
    signal_gradient: np.ndarray  # norm of dL/dh at each layer's input
    signal: np.ndarray  # root mean square of each layer's input
    loss: float


def stack_gradients(
    depth,
    *,
    activation="relu",
    initializer="he",
    normalization=False,
    shortcut=False,
    width=64,
    batch=128,
    seed=0,
):
    """Differentiate a stack of ``depth`` dense layers at initialisation, on digits.

    One layer is ``h <- h + act(norm(h)) W``, the leading ``h +`` left out without ``shortcut``
    and ``norm`` the identity without ``normalization``; norm is (z - mean) / sqrt(variance +
    2e-5) over the batch. The stack starts from standardised digits through a fixed random
    projection to ``width``; it ends in ``act(norm(h)) R`` and the mean softmax cross-entropy.

    Args:
        depth: layers, 1 to 200.
        activation: sigmoid, tanh, relu, gelu or linear.
        initializer: he, glorot (both normal), small (normal, deviation 0.01) or orthogonal.
        normalization, shortcut: as above.
        width: units of every layer.
        batch: digits in the batch, at most 1,280.
        seed: of weights, projection and batch.

    Returns:
        ``StackGradients``; norms are zero or infinite only when their entries are.

    Raises:
        ValueError: names the rule and the value.

    Source of the layer's order: He et al. 2016, arXiv 1603.05027, figure 4 (e).
    """
    _check_whole("depth", depth, 1, MAX_DEPTH)
    _check_whole("width", width, 1, 1024)
    _check_whole("batch", batch, 1, 1280)
    _check_whole("seed", seed, 0, 2**32 - 1)
    _check_choice("activation", activation, ACTIVATIONS)
    _check_choice("initializer", initializer, INITIALIZERS)
    inputs, labels = _inputs(width, batch, seed)
    weights, readout = _weights(initializer, width, seed)
    differentiate = _compiled(activation, bool(normalization), bool(shortcut), width, batch)
    *norms, loss = differentiate(tf.constant(depth), inputs, labels, weights, readout)
    return StackGradients(*(values.numpy()[:depth] for values in norms), loss=float(loss))


@functools.lru_cache(maxsize=8)
def _inputs(width, batch, seed):
    """(batch, width) projected digits and (batch,) labels.

    Standardised digits have three pixels that never change; a norm straight on them would blow
    up the first layer's gradient, so a random projection mixes all pixels first.
    """
    data = load("digits")
    random = np.random.default_rng([seed, 1])
    chosen = random.choice(len(data.x_train), batch, replace=False)
    pixels = data.x_train.reshape(len(data.x_train), -1)
    pixels = (pixels - pixels.mean(axis=0)) / (pixels.std(axis=0) + 1e-6)
    projection = random.standard_normal((pixels.shape[1], width)) / np.sqrt(pixels.shape[1])
    inputs = pixels[chosen] @ projection
    return tf.constant(inputs, tf.float32), tf.constant(data.y_train[chosen], tf.int32)


@functools.lru_cache(maxsize=8)
def _weights(initializer, width, seed):
    """(MAX_DEPTH, width, width) weights and (width, CLASSES) read-out.

    Always drawn for the deepest stack: a deeper one then only adds layers to a shallower one.
    """
    random = np.random.default_rng([seed, 2])
    weights = random.standard_normal((MAX_DEPTH, width, width))
    readout = random.standard_normal((width, CLASSES)) / np.sqrt(width)
    if initializer == "orthogonal":
        q, r = np.linalg.qr(weights)
        # The signs of R's diagonal make Q uniform over all rotations.
        weights = q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, np.newaxis]
    else:
        # Glorot's 2 / (fan in + fan out) is 1 / width in a square layer.
        weights *= {"he": np.sqrt(2 / width), "glorot": np.sqrt(1 / width), "small": 0.01}[
            initializer
        ]
    return tf.constant(weights, tf.float32), tf.constant(readout, tf.float32)


@functools.cache
def _compiled(activation, normalization, shortcut, width, batch):
    """The loop over layers for one set of options, compiled once for every depth.

    A concrete function cannot trace again, so that a reader who tries one option after another
    does not read TensorFlow's warning about functions that do.
    """
    act = ACTIVATIONS[activation]

    def activated(h):
        if normalization:
            mean, variance = tf.nn.moments(h, axes=[0])
            h = (h - mean) * tf.math.rsqrt(variance + 2e-5)
        return act(h)

    def layer(h, w):
        branch = activated(h) @ w
        return h + branch if shortcut else branch

    def loss_of(h, labels, readout):
        logits = activated(h) @ readout
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

    @tf.function(jit_compile=True)
    def differentiate(depth, inputs, labels, weights, readout):
        def forward(i, h, signals):
            signals = tf.tensor_scatter_nd_update(signals, [[i]], [h])
            return i + 1, layer(h, weights[i]), signals

        kept = tf.zeros([MAX_DEPTH, *inputs.shape])
        _, h, signals = tf.while_loop(lambda i, *_: i < depth, forward, (0, inputs, kept))
        with tf.GradientTape() as tape:
            tape.watch(h)
            loss = loss_of(h, labels, readout)
        gradient = tape.gradient(loss, h)

        def backward(i, gradient, weight_norms, signal_norms):
            h, w = signals[i], weights[i]
            with tf.GradientTape() as tape:
                tape.watch([h, w])
                out = layer(h, w)
            gradient, weight_gradient = tape.gradient(out, [h, w], output_gradients=gradient)
            weight_norms = tf.tensor_scatter_nd_update(
                weight_norms, [[i]], [_norm(weight_gradient)]
            )
            signal_norms = tf.tensor_scatter_nd_update(signal_norms, [[i]], [_norm(gradient)])
            return i - 1, gradient, weight_norms, signal_norms

        empty = tf.zeros([MAX_DEPTH])
        start = (depth - 1, gradient, empty, empty)
        _, _, weight_norms, signal_norms = tf.while_loop(lambda i, *_: i >= 0, backward, start)
        root_count = tf.sqrt(float(inputs.shape[0] * inputs.shape[1]))
        rms = tf.map_fn(_norm, signals) / root_count
        return weight_norms, signal_norms, rms, loss

    return differentiate.get_concrete_function(
        tf.TensorSpec([], tf.int32),
        tf.TensorSpec([batch, width]),
        tf.TensorSpec([batch], tf.int32),
        tf.TensorSpec([MAX_DEPTH, width, width]),
        tf.TensorSpec([width, CLASSES]),
    )


def _norm(values):
    """As ``probe.norm``: squares leave float32's range, so the largest entry comes out first."""
    largest = tf.reduce_max(tf.abs(values))
    scaled = tf.math.divide_no_nan(values, largest)
    norm = largest * tf.sqrt(tf.reduce_sum(tf.square(scaled)))
    return tf.where(tf.math.is_finite(largest), norm, largest)


def _check_whole(what, value, least, most):
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise ValueError(
            f"{what} must be a whole number from {least} to {most}, received {value!r}"
        )


def _check_choice(what, value, choices):
    if value not in tuple(choices):
        raise ValueError(f"{what} must be one of {', '.join(choices)}, received {value!r}")
