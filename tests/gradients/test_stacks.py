"""The engine against an independent NumPy version, itself against finite differences, and
against Keras models of the same weights."""

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy.special import erf

from resnet_lesson import gradient_norms, residual_module
from resnet_lesson.gradients import stacks
from resnet_lesson.runtime import keras

pytestmark = pytest.mark.slow

layers = keras.layers
DEPTHS = (1, 2, 7, 50, 200)
FLAGS = (False, True)

# Each activation and its slope.
BELL = lambda z: np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)  # noqa: E731
ACTS: dict[str, tuple[Any, Any]] = {
    "sigmoid": (
        lambda z: 0.5 * (1 + np.tanh(z / 2)),
        lambda z: 0.25 * (1 - np.tanh(z / 2) ** 2),
    ),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "gelu": (
        lambda z: 0.5 * z * (1 + erf(z / np.sqrt(2))),
        lambda z: 0.5 * (1 + erf(z / np.sqrt(2))) + z * BELL(z),
    ),
    "linear": (lambda z: z, np.ones_like),
}
# He 2016, figure 4: what stands before the weights, after them, and after the addition.
# "n" is the norm, "a" the activation.
FIGURE_4 = {
    "original": ("", "n", "a"),
    "bn_after_addition": ("", "", "na"),
    "relu_before_addition": ("", "na", ""),
    "relu_only_preactivation": ("a", "n", ""),
    "full_preactivation": ("na", "", ""),
}


class Layer:
    """One dense layer forward, kept for the way back, all in float64."""

    def __init__(self, act, norm, shortcut, order, cut):
        self.act, self.slope = ACTS[act]
        self.norm, self.shortcut, self.cut = norm, shortcut, cut
        self.before, self.after, self.sum = FIGURE_4[order]

    def through(self, h, letters):
        """The value past the letters, and the function that takes its gradient back."""
        steps: list[Any] = []
        for letter in letters:
            if letter == "a":
                slope, h = self.slope(h), self.act(h)
                steps.append(lambda g, slope=slope: g * slope)
            elif self.norm:
                deviation = np.sqrt(h.var(0) + 2e-5)
                h = (h - h.mean(0)) / deviation
                steps.append(lambda g, z=h, s=deviation: (g - g.mean(0) - z * (g * z).mean(0)) / s)

        def back(g):
            for step in reversed(steps):
                g = step(g)
            return g

        return h, back

    def forward(self, h, w):
        self.w = w
        self.seen, self.back_before = self.through(h, self.before)
        branch, self.back_after = self.through(self.seen @ w, self.after)
        total = h + branch if self.shortcut else branch
        out, self.back_sum = self.through(total, self.sum)
        return out

    def backward(self, g):
        """dL/dh and dL/dW from dL/d(out)."""
        g = self.back_sum(g)
        by_product = self.back_after(g)
        by_branch = self.back_before(by_product @ self.w.T)
        by_signal = self.shortcut * g + (0 if self.cut else by_branch)
        return by_signal, self.seen.T @ by_product


def exact(inputs, labels, weights, readout, *, act, norm, shortcut, order, cut=False):
    """The loss, and norms by layer of dL/dW, of dL/dh and of h."""
    stack = [Layer(act, norm, shortcut, order, cut) for _ in weights]
    h, rms = inputs, []
    for layer, w in zip(stack, weights, strict=True):
        rms.append(np.sqrt(np.mean(h**2)))
        h = layer.forward(h, w)
    seen, back_seen = stack[0].through(h, "na" if "preactivation" in order else "")
    logits = seen @ readout
    logits = logits - logits.max(1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    error = (np.exp(logs) - np.eye(stacks.CLASSES)[labels]) / len(labels)
    g, by_weight, by_signal = back_seen(error @ readout.T), [], []
    for layer in reversed(stack):
        g, weight_gradient = layer.backward(g)
        by_weight.append(weight_gradient)
        by_signal.append(g)
    loss = -logs[np.arange(len(labels)), labels].mean()
    return loss, by_weight[::-1], by_signal[::-1], rms, h


def material(result):
    arrays = (result.inputs, result.labels, result.weights, result.readout)
    return [a if a.dtype.kind == "i" else a.astype(np.float64) for a in arrays]


DENSE = [
    dict(act=act, norm=norm, shortcut=shortcut, order=order)
    for act, norm, shortcut, order in itertools.product(ACTS, FLAGS, FLAGS, FIGURE_4)
]


def engine(depth, initializer, act, norm, order, shortcut, cut=False):
    return stacks.stack_gradients(
        depth,
        activation=act,
        initializer=initializer,
        normalization=norm,
        shortcut=shortcut,
        order=order,
        shortcut_only=cut,
    )


@pytest.mark.parametrize("options", DENSE)
def test_numpy_version_agrees_with_finite_differences(options):
    inputs, labels, weights, readout = material(stacks.stack_gradients(2, width=12, batch=24))
    _, by_weight, by_signal, _, _ = exact(inputs, labels, weights, readout, **options)
    random = np.random.default_rng(0)
    # A direction through all entries, for each weight and for the input.
    for place, gradient in [(0, by_weight[0]), (1, by_weight[1]), ("inputs", by_signal[0])]:
        direction = random.standard_normal(gradient.shape)
        losses = []
        for step in (1e-6, -1e-6):
            moved, start = weights.copy(), inputs
            if place == "inputs":
                start = inputs + step * direction
            else:
                moved[place] += step * direction
            losses.append(exact(start, labels, moved, readout, **options)[0])
        expected = (losses[0] - losses[1]) / 2e-6
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-3, abs=1e-7)


def assert_alike(result, options):
    """The engine's norms are the exact ones, up to what float32 can know of them."""
    inputs, labels, weights, readout = material(result)
    # Some stacks stretch rounding as they stretch gradients: how far, nudges of float32's size
    # tell; a single one may happen to do little.
    nudges = 1 + 1e-6 * np.random.default_rng(0).standard_normal((3, *inputs.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        want = exact(inputs, labels, weights, readout, **options)
        nudged = [exact(inputs * nudge, labels, weights, readout, **options) for nudge in nudges]
    if not np.abs(want[-1]).max() < 1e37:  # beyond float32: said, not hidden
        assert not np.isfinite([result.loss, *result.signal_gradient]).all()
        return
    within = 0.01 + 10 * max(abs(other[0] - want[0]) for other in nudged)
    assert result.loss == pytest.approx(want[0], rel=0.01, abs=within)
    signal = np.array(want[3])
    got = (result.weight_gradient, result.signal_gradient, result.signal)
    for norms, *arrays in zip(got, want[1:4], *(other[1:4] for other in nudged), strict=True):
        exactly, *others = ([np.linalg.norm(a) for a in each] for each in arrays)
        in_range = [(a > 1e-28) & (a < 1e28) for a in (np.array(exactly), signal)]
        logs = np.log10(np.array([norms, exactly, *others])[:, in_range[0] & in_range[1]])
        stretched = 10 * np.abs(logs[2:] - logs[1]).max(initial=0)
        np.testing.assert_allclose(logs[0], logs[1], atol=2e-3 + stretched)


@pytest.mark.parametrize("options", DENSE)
def test_engine_agrees_with_numpy(options):
    for depth, initializer in zip(DEPTHS, ("he", *stacks.INITIALIZERS), strict=True):
        assert_alike(engine(depth, initializer, **options), options)


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("norm", FLAGS)
def test_what_the_shortcuts_alone_carry(order, norm):
    options = dict(act="relu", norm=norm, shortcut=True, order=order, cut=True)
    for depth in (1, 7, 50):
        result = engine(depth, "he", **options)
        assert_alike(result, options)
        if FIGURE_4[order][2] == "":  # nothing stands on the wire
            np.testing.assert_allclose(result.signal_gradient, result.signal_gradient[-1])


class Tap(keras.layers.Layer):
    """Adds a kernel of zeros: the gradient of it is the gradient of the signal that passes."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(128, *shape[1:]), initializer="zeros", name="kernel")

    def call(self, x):
        return x + self.kernel


def keras_model(kind, depth, act, norm, shortcut, order):
    """The stack as a Keras model, a tap before each layer or module."""
    before, after, end = FIGURE_4[order]
    convolutions = {
        "convolution": [(16, 3)],
        "basic": [(16, 3), (16, 3)],
        "bottleneck": [(4, 1), (4, 3), (16, 1)],
    }[kind]
    # Within a module, what an order leaves to the addition follows each other convolution.
    between = after if before else "na"

    def through(x, letters):
        for letter in letters:
            if letter == "a":
                x = layers.Activation(act)(x)
            elif norm:
                x = layers.BatchNormalization(epsilon=2e-5)(x)
        return x

    x = image = keras.Input((8, 8, 16))
    for _ in range(depth):
        x = branch = Tap()(x)
        for place, (filters, size) in enumerate(convolutions, start=1):
            branch = through(branch, before)
            branch = layers.Conv2D(filters, size, padding="same", use_bias=False)(branch)
            branch = through(branch, after if place == len(convolutions) else between)
        x = through(layers.add([x, branch]) if shortcut else branch, end)
    return keras.Model(image, head(through(x, "na" if before else "")))


def head(x):
    x = layers.Dense(10, use_bias=False)(layers.GlobalAveragePooling2D()(x))
    return layers.Softmax()(x)


def keras_norms(model, result):
    """Norms of dL/dW and dL/dh by layer, of a Keras model given the stack's weights."""
    weights = result.weights if isinstance(result.weights, tuple) else (result.weights,)
    kernels = [
        layer.kernel for layer in model.layers if isinstance(layer, (layers.Conv2D, layers.Dense))
    ]
    values = [w[layer] for layer in range(len(result.signal)) for w in weights] + [result.readout]
    for kernel, value in zip(kernels, values, strict=True):
        kernel.assign(value)
    norms = gradient_norms(model, result.inputs, result.labels)
    taps = [row.gradient_norm for row in norms if "tap" in row.layer]
    others = [row.gradient_norm for row in norms if "tap" not in row.layer][:-1]
    modules = np.reshape(others, (-1, len(weights)))
    return np.linalg.norm(modules, axis=1), np.array(taps)


def assert_same_in_keras(model, result, atol=2e-3):
    by_weight, by_signal = keras_norms(model, result)
    np.testing.assert_allclose(np.log10(result.weight_gradient), np.log10(by_weight), atol=atol)
    if len(by_signal):
        np.testing.assert_allclose(np.log10(result.signal_gradient), np.log10(by_signal), atol=atol)


CONVOLVING = ("convolution", "basic", "bottleneck")


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("kind", CONVOLVING)
def test_kinds_that_convolve_agree_with_keras(kind, order):
    choices = itertools.product((1, 2, 7), FLAGS, FLAGS)
    activations, initializers = itertools.cycle(ACTS), itertools.cycle(stacks.INITIALIZERS)
    for depth, norm, shortcut in choices:
        act = next(activations)
        result = stacks.stack_gradients(
            depth,
            kind=kind,
            activation=act,
            initializer=next(initializers),
            normalization=norm,
            shortcut=shortcut,
            order=order,
        )
        assert_same_in_keras(keras_model(kind, depth, act, norm, shortcut, order), result)


@pytest.mark.parametrize(("depth", "order"), [(50, "original"), (200, "full_preactivation")])
@pytest.mark.parametrize("kind", CONVOLVING)
def test_deep_kinds_agree_with_keras(kind, depth, order):
    result = stacks.stack_gradients(
        depth, kind=kind, normalization=True, shortcut=True, order=order
    )
    model = keras_model(kind, depth, "relu", True, True, order)
    assert_same_in_keras(model, result, atol=0.02)


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("shortcut", FLAGS)
def test_bottlenecks_are_the_packages_own(order, shortcut):
    result = stacks.stack_gradients(
        3, kind="bottleneck", normalization=True, shortcut=shortcut, order=order
    )
    x = image = keras.Input((8, 8, 16))
    for _ in range(3):
        x = residual_module(x, 16, order=order, shortcut=shortcut)
    if "preactivation" in order:
        x = layers.ReLU()(layers.BatchNormalization(epsilon=2e-5)(x))
    assert_same_in_keras(keras.Model(image, head(x)), result)


def test_depth_needs_no_new_trace():
    stacks.stack_gradients(3)
    before = stacks._compiled.cache_info().misses
    for depth in (1, 50, 200):
        assert stacks.stack_gradients(depth).signal.shape == (depth,)
    assert stacks._compiled.cache_info().misses == before


@pytest.mark.parametrize(("norm", "shortcut", "different"), [(0, 0, 2), (0, 1, 3), (1, 0, 3)])
def test_orders_that_do_the_same_are_compiled_once(norm, shortcut, different):
    stacks._compiled.cache_clear()
    losses = {
        stacks.stack_gradients(3, normalization=norm, shortcut=shortcut, order=order).loss
        for order in FIGURE_4
    }
    assert len(losses) == stacks._compiled.cache_info().misses == different


def test_trying_every_option_prints_nothing():
    code = """
import itertools
from resnet_lesson.gradients import stacks
for act, flag in itertools.product(stacks.ACTIVATIONS, (False, True)):
    stacks.stack_gradients(3, activation=act, normalization=flag, shortcut=flag)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout + done.stderr == ""


def test_a_deeper_stack_only_adds_layers():
    shallow, deep = stacks.stack_gradients(3), stacks.stack_gradients(9)
    np.testing.assert_array_equal(shallow.weights, deep.weights[:3])
    np.testing.assert_array_equal(shallow.readout, deep.readout)
    np.testing.assert_allclose(shallow.signal, deep.signal[:3], rtol=1e-6)


def test_results_cannot_be_written_to():
    result = stacks.stack_gradients(3)
    with pytest.raises(ValueError, match="read-only"):
        result.weights[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        result.inputs[0] = 0


def test_a_norm_is_zero_only_when_its_entries_are():
    norms = stacks.stack_gradients(50, activation="sigmoid", initializer="glorot").weight_gradient
    # Squared, the entries of the first layer would be under 1e-45: a plain norm says zero.
    assert 0 < norms[0] < 1e-25
    deeper = stacks.stack_gradients(110, activation="sigmoid", initializer="glorot")
    assert deeper.weight_gradient[0] == 0


def test_a_norm_is_infinite_only_when_its_entries_are():
    def signal(depth):
        return stacks.stack_gradients(depth, shortcut=True, order="relu_before_addition").signal

    norms = signal(120)
    # Squares over 1e38 leave float32: a plain norm says infinite.
    assert norms.max() > 1e21
    assert np.isfinite(norms).all()
    assert not np.isfinite(signal(200)).all()


@pytest.mark.parametrize(
    "bad",
    [
        *({"depth": 0}, {"depth": 201}, {"depth": 2.5}, {"depth": True}),
        *({"activation": "cube"}, {"initializer": "x"}, {"kind": "lstm"}, {"order": "random"}),
        *({"width": 0}, {"batch": 1281}, {"seed": -1}, {"width": 32, "kind": "basic"}),
        {"shortcut_only": True},
    ],
)
def test_bad_options_are_named(bad):
    name, value = next(iter(bad.items()))
    with pytest.raises(ValueError, match=f"^{name} .*received .*") as refused:
        stacks.stack_gradients(**{"depth": 3} | bad)
    assert str(value) in str(refused.value) or name == "shortcut_only"
