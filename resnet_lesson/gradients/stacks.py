"""Gradients of a stack of equal layers or modules, at any depth, as fast as a slider moves.

The layers are equal, so the stack is a loop over stacked weights: TensorFlow compiles one loop
body for a set of options, and depth is only how often it runs. Going back, TensorFlow
differentiates one layer at a time, from the signal that was kept at its input.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..checks import check_choice, check_integer
from ..data import load
from ..networks.orders import ORDERS
from ..networks.rules import check_order
from ..runtime import quiet_compiler, tf
from .norms import tensor_norm

Shapes = tuple[tuple[int, ...], ...]  # of the weights of one layer or module

MAX_DEPTH = 200
CLASSES = 10
CHANNELS = 16
ACTIVATIONS = {
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "gelu": tf.nn.gelu,
    "linear": tf.identity,
}
INITIALIZERS = ("he", "glorot", "small", "orthogonal")
# The shapes of one layer's weights, in the order in which the signal meets them.
KINDS: dict[str, Shapes | None] = {
    "dense": None,  # one matrix, of the width that is asked for
    "convolution": ((3, 3, CHANNELS, CHANNELS),),
    "basic": ((3, 3, CHANNELS, CHANNELS),) * 2,
    "bottleneck": (
        (1, 1, CHANNELS, CHANNELS // 4),
        (3, 3, CHANNELS // 4, CHANNELS // 4),
        (1, 1, CHANNELS // 4, CHANNELS),
    ),
}


@dataclass(frozen=True)
class StackGradients:
    """Norms by layer, input side first, and what they were measured on.

    The first three are arrays of shape (depth,). All arrays but these are shared between
    results, and cannot be written to.
    """

    weight_gradient: np.ndarray  # norm of dL/dW of each layer or module
    signal_gradient: np.ndarray  # norm of dL/dh at its input
    signal: np.ndarray  # root mean square of its input
    inputs: np.ndarray  # (batch, width), or (batch, 8, 8, 16) where the kind convolves
    labels: np.ndarray  # (batch,)
    weights: Any  # an array (depth, ...); of a module a tuple of such, one for each weight
    readout: np.ndarray  # (width or 16, 10)
    loss: float


def stack_gradients(
    depth: int,
    *,
    kind: str = "dense",
    activation: str = "relu",
    initializer: str = "he",
    normalization: bool = False,
    shortcut: bool = False,
    order: str = "full_preactivation",
    width: int = 64,
    batch: int = 128,
    seed: int = 0,
    shortcut_only: bool = False,
) -> StackGradients:
    """Differentiate a stack of ``depth`` layers or modules at initialisation, on digits.

    With ``f`` for the product with the layer's weights, or the convolution, one layer is by its
    order

    - ``original``: ``h <- act(h + BN(f(h)))``
    - ``bn_after_addition``: ``h <- act(BN(h + f(h)))``
    - ``relu_before_addition``: ``h <- h + act(BN(f(h)))``
    - ``relu_only_preactivation``: ``h <- h + BN(f(act(h)))``
    - ``full_preactivation``: ``h <- h + f(act(BN(h)))``

    the term ``h +`` left out without ``shortcut``, and ``BN`` the identity without
    ``normalization``; else it is (z - mean) / sqrt(variance + 2e-5), by unit or channel over the
    batch. A module has the same steps around each of its convolutions, as in
    ``residual_module``. The stack starts from standardised digits through a fixed random
    projection. The read-out sees ``act(BN(h))`` in the two pre-activation orders, else ``h``,
    averaged over the image where there is one; the loss is the mean softmax cross-entropy.

    Args:
        depth: layers or modules, 1 to 200.
        kind: dense; convolution (one 3x3 of 16 channels on 8x8 digits); basic or bottleneck, the
            residual modules with 16 channels (4 inside the bottleneck).
        activation: sigmoid, tanh, relu, gelu or linear.
        initializer: he, glorot (both normal), small (normal, deviation 0.01) or orthogonal.
        normalization, shortcut, order: as above.
        width: units of every dense layer; the other kinds have their own.
        batch: digits in the batch, at most 1,280.
        seed: of weights, projection and batch.
        shortcut_only: only the shortcuts carry the gradient of the signal back; the weights of
            each branch still get theirs, from what the shortcuts bring.

    Returns:
        ``StackGradients``; norms are zero or infinite only when their entries are.

    Raises:
        ValueError: names the rule and the value.

    Source of the orders: He et al. 2016, arXiv 1603.05027, figure 4.
    """
    check_integer("depth", depth, 1, MAX_DEPTH)
    check_integer("width", width, 1, 1024)
    check_integer("batch", batch, 1, 1280)
    check_integer("seed", seed, 0, 2**32 - 1)
    check_choice("kind", kind, KINDS)
    check_choice("activation", activation, ACTIVATIONS)
    check_choice("initializer", initializer, INITIALIZERS)
    check_order(order)
    if kind != "dense" and width != 64:
        raise ValueError(
            f"width is for dense layers, {kind} has {CHANNELS} channels, received width={width}"
        )
    if shortcut_only and not shortcut:
        raise ValueError(
            "shortcut_only needs shortcut=True, or nothing carries the gradient, "
            f"received shortcut={shortcut!r}"
        )
    shapes = KINDS[kind] or ((width, width),)
    arrays, tensors = _arguments(shapes, initializer, batch, seed)
    steps = _steps(order, bool(normalization), bool(shortcut), len(shapes))
    differentiate = _compiled(shapes, batch, activation, steps, bool(shortcut), bool(shortcut_only))
    norms, loss = differentiate(tf.constant(depth), *tensors)
    inputs, labels, weights, readout = arrays
    weights = tuple(weight[:depth] for weight in weights)
    weight_gradient, signal_gradient, signal = norms.numpy()[:depth].T
    return StackGradients(
        weight_gradient=weight_gradient,
        signal_gradient=signal_gradient,
        signal=signal,
        inputs=inputs,
        labels=labels,
        weights=weights if len(weights) > 1 else weights[0],
        readout=readout,
        loss=float(loss),
    )


@functools.lru_cache(maxsize=16)
def _arguments(shapes: Shapes, initializer: str, batch: int, seed: int) -> tuple[Any, Any]:
    """Inputs, labels, weights and read-out: as read-only arrays, and the same as tensors."""
    arrays = (*_inputs(shapes, batch, seed), *_weights(shapes, initializer, seed))
    for array in tf.nest.flatten(arrays):
        array.flags.writeable = False
    return arrays, tf.nest.map_structure(tf.constant, arrays)


@functools.lru_cache(maxsize=16)
def _inputs(shapes: Shapes, batch: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(batch, width) or (batch, 8, 8, 16) projected digits, and (batch,) labels.

    Standardised digits have three pixels that never change; batch normalisation straight on them
    would blow up the first layer's gradient, so a random projection mixes all pixels first (a
    random 3x3 convolution where the layers convolve).
    """
    data = load("digits")
    random = np.random.default_rng([seed, 1])
    chosen = random.choice(len(data.x_train), batch, replace=False)
    pixels = data.x_train[..., 0]
    pixels = ((pixels - pixels.mean(axis=0)) / (pixels.std(axis=0) + 1e-6))[chosen]
    if len(shapes[0]) == 2:
        patches = pixels.reshape(batch, -1)
    else:
        padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        patches = windows.reshape(*pixels.shape, -1)
    fan_in, width = patches.shape[-1], shapes[0][-2]
    projection = random.standard_normal((fan_in, width)) / np.sqrt(fan_in)
    inputs = (patches @ projection).astype(np.float32)
    return inputs, data.y_train[chosen].astype(np.int32)


def _weights(
    shapes: Shapes, initializer: str, seed: int
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Weights, an array (MAX_DEPTH, *shape) for each shape, and the (width, CLASSES) read-out.

    Always drawn for the deepest stack: a deeper one then only adds layers to a shallower one.
    """
    random = np.random.default_rng([seed, 2])
    weights = tuple(_draw(random, shape, initializer).astype(np.float32) for shape in shapes)
    width = shapes[-1][-1]
    readout = random.standard_normal((width, CLASSES)) / np.sqrt(width)
    return weights, readout.astype(np.float32)


def _draw(random: np.random.Generator, shape: tuple[int, ...], initializer: str) -> np.ndarray:
    """(MAX_DEPTH, *shape) weights; the last two axes are channels in and out."""
    fan_in, out = int(np.prod(shape[:-1])), shape[-1]
    fan_out = out * fan_in // shape[-2]
    if initializer == "orthogonal":
        tall = random.standard_normal((MAX_DEPTH, max(fan_in, out), min(fan_in, out)))
        q, r = np.linalg.qr(tall)
        # The signs of R's diagonal make Q uniform over all rotations.
        q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, np.newaxis]
        return (q if fan_in >= out else q.swapaxes(1, 2)).reshape(MAX_DEPTH, *shape)
    deviations = {"he": np.sqrt(2 / fan_in), "glorot": np.sqrt(2 / (fan_in + fan_out))}
    deviation = deviations.get(initializer, 0.01)
    return deviation * random.standard_normal((MAX_DEPTH, *shape))


def _batch_normalization(z: Any) -> Any:
    """(z - mean) / sqrt(variance + 2e-5) by unit or channel."""
    if z.shape.rank == 2:
        mean, variance = tf.nn.moments(z, axes=[0])
        return (z - mean) * tf.math.rsqrt(variance + 2e-5)
    ones = tf.ones(z.shape[-1])
    return tf.raw_ops.FusedBatchNormV3(
        x=z, scale=ones, offset=0 * ones, mean=[], variance=[], epsilon=2e-5, is_training=True
    ).y


def _multiply(h: Any, weight: Any) -> Any:
    """The product with a matrix, or a convolution of stride 1 that keeps the size."""
    return h @ weight if weight.shape.rank == 2 else tf.nn.conv2d(h, weight, 1, "SAME")


class Steps(NamedTuple):
    """What is done to the signal at each place: "BN", or "ReLU" for whichever activation."""

    before: tuple[str, ...]  # the first product
    between: tuple[str, ...]  # two products
    after: tuple[str, ...]  # the last product
    after_addition: tuple[str, ...]
    at_the_end: tuple[str, ...]  # once, before the read-out


def _steps(order: str, normalization: bool, shortcut: bool, products: int) -> Steps:
    """The order's steps, less those that do nothing: many orders are then one, compiled once."""
    places = Steps(*ORDERS[order], ("BN", "ReLU") if "preactivation" in order else ())
    if not normalization:
        places = Steps(*(tuple(step for step in place if step != "BN") for place in places))
    if products == 1:
        places = places._replace(between=())
    if not shortcut:  # nothing is added
        places = places._replace(after=places.after + places.after_addition, after_addition=())
    return places


def _layer(
    activation: str, steps: Steps, shortcut: bool
) -> tuple[Callable[[Any, list[Any], Any], Any], Callable[[Any], Any]]:
    """One layer of the stack, and what the read-out sees of the last one's output, as functions."""
    functions = {"ReLU": ACTIVATIONS[activation], "BN": _batch_normalization}

    def apply(names: tuple[str, ...], h: Any) -> Any:
        for name in names:
            h = functions[name](h)
        return h

    def layer(h: Any, weights: list[Any], branch: Any) -> Any:
        """``branch`` starts as h, or as h with its gradient stopped."""
        for index, weight in enumerate(weights):
            branch = _multiply(apply(steps.between if index else steps.before, branch), weight)
        branch = apply(steps.after, branch)
        return apply(steps.after_addition, h + branch if shortcut else branch)

    def features(h: Any) -> Any:
        h = apply(steps.at_the_end, h)
        return h if h.shape.rank == 2 else tf.reduce_mean(h, axis=[1, 2])

    return layer, features


@functools.cache
def _compiled(
    shapes: Shapes,
    batch: int,
    activation: str,
    steps: Steps,
    shortcut: bool,
    shortcut_only: bool,
) -> Callable[..., tuple[Any, Any]]:
    """The loop over layers for one set of options, compiled once for every depth.

    A concrete function cannot trace again: someone who tries one option after another does not see
    TensorFlow's warning about functions that do.
    """
    layer, features = _layer(activation, steps, shortcut)
    dense = len(shapes[0]) == 2
    if dense:
        quiet_compiler()

    # XLA fuses the operations of a dense layer; its convolutions are slow on a CPU.
    @tf.function(jit_compile=dense)
    def differentiate(
        depth: Any, inputs: Any, labels: Any, weights: tuple[Any, ...], readout: Any
    ) -> tuple[Any, Any]:
        def weights_of(i: Any) -> list[Any]:
            return [weight[i] for weight in weights]

        def forward(i: Any, h: Any, signals: Any) -> tuple[Any, Any, Any]:
            return i + 1, layer(h, weights_of(i), h), signals.write(i, h)

        kept = tf.TensorArray(tf.float32, MAX_DEPTH, element_shape=inputs.shape)
        _, h, signals = tf.while_loop(lambda i, *_: i < depth, forward, (0, inputs, kept))
        with tf.GradientTape() as tape:
            tape.watch(h)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, features(h) @ readout)
            loss = tf.reduce_mean(losses)
        gradient = tape.gradient(loss, h)

        def backward(i: Any, gradient: Any, norms: Any) -> tuple[Any, Any, Any]:
            h, w = signals.read(i), weights_of(i)
            with tf.GradientTape() as tape:
                tape.watch([h, w])
                out = layer(h, w, tf.stop_gradient(h) if shortcut_only else h)
            gradient, by_weight = tape.gradient(out, [h, w], output_gradients=gradient)
            row = [
                tensor_norm(*by_weight),
                tensor_norm(gradient),
                tensor_norm(h) / np.sqrt(inputs.shape.num_elements()),
            ]
            return i - 1, gradient, tf.tensor_scatter_nd_update(norms, [[i]], [tf.stack(row)])

        start = (depth - 1, gradient, tf.zeros([MAX_DEPTH, 3], tf.float64))
        _, _, norms = tf.while_loop(lambda i, *_: i >= 0, backward, start)
        return norms, loss

    width = shapes[-1][-1]
    image = () if dense else (8, 8)
    return differentiate.get_concrete_function(
        tf.TensorSpec([], tf.int32),
        tf.TensorSpec([batch, *image, width]),
        tf.TensorSpec([batch], tf.int32),
        tuple(tf.TensorSpec([MAX_DEPTH, *shape]) for shape in shapes),
        tf.TensorSpec([width, CLASSES]),
    )
