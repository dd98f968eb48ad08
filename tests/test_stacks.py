"""The engine against an independent NumPy backward pass, itself against finite differences."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from resnet_lesson import stacks

ACTS = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "linear": (lambda z: z, np.ones_like),
}


def normalise(h):
    return (h - h.mean(0)) / np.sqrt(h.var(0) + 2e-5)


def normalise_back(h, g):
    z = normalise(h)
    return (g - g.mean(0) - z * (g * z).mean(0)) / np.sqrt(h.var(0) + 2e-5)


def forward(inputs, weights, readout, labels, activation, norm, shortcut):
    """The loss, the softmax and every h, input first."""
    act, hs = ACTS[activation][0], [inputs]
    for w in weights:
        h = hs[-1]
        hs.append(shortcut * h + act(normalise(h) if norm else h) @ w)
    logits = act(normalise(hs[-1]) if norm else hs[-1]) @ readout
    logits = logits - logits.max(1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return -logs[np.arange(len(labels)), labels].mean(), np.exp(logs), hs


def backward(inputs, weights, readout, labels, activation, norm, shortcut):
    """dL/dW and dL/dh of every layer, by hand."""
    act, slope = ACTS[activation]
    _, softmax, hs = forward(inputs, weights, readout, labels, activation, norm, shortcut)

    def through(h, g):
        g = g * slope(normalise(h) if norm else h)
        return normalise_back(h, g) if norm else g

    error = (softmax - np.eye(stacks.CLASSES)[labels]) / len(labels)
    g = through(hs[-1], error @ readout.T)
    weight_gradients, signal_gradients = [], []
    for h, w in zip(hs[-2::-1], weights[::-1], strict=True):
        weight_gradients.append(act(normalise(h) if norm else h).T @ g)
        g = shortcut * g + through(h, g @ w.T)
        signal_gradients.append(g)
    return weight_gradients[::-1], signal_gradients[::-1]


def material(depth, initializer="he"):
    inputs, labels = (value.numpy() for value in stacks._inputs(64, 128, 0))
    weights, readout = (value.numpy() for value in stacks._weights(initializer, 64, 0))
    arrays = (inputs, weights[:depth], readout)
    return *(array.astype(np.float64) for array in arrays), labels


@pytest.mark.parametrize("options", list(itertools.product(ACTS, (False, True), (False, True))))
def test_numpy_version_agrees_with_finite_differences(options):
    arrays = material(2)
    weight_gradients, _ = backward(*arrays, *options)
    inputs, weights, readout, labels = arrays
    for layer, row, column in [(0, 3, 5), (1, 10, 2)]:
        losses = []
        for step in (1e-5, -1e-5):
            moved = weights.copy()
            moved[layer, row, column] += step
            losses.append(forward(inputs, moved, readout, labels, *options)[0])
        expected = (losses[0] - losses[1]) / 2e-5
        assert weight_gradients[layer][row, column] == pytest.approx(expected, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("depth", [1, 2, 7, 50, 200])
@pytest.mark.parametrize("options", list(itertools.product(ACTS, (False, True), (False, True))))
def test_engine_agrees_with_numpy(depth, options):
    activation, norm, shortcut = options
    got = stacks.stack_gradients(
        depth, activation=activation, normalization=norm, shortcut=shortcut
    )
    if (
        np.abs(forward(*material(depth), *options)[2]).max() > 1e38
    ):  # beyond float32: said, not hidden
        assert not np.isfinite(got.weight_gradient).all()
        return
    by_weight, by_signal = backward(*material(depth), *options)
    for norms, gradients in [(got.weight_gradient, by_weight), (got.signal_gradient, by_signal)]:
        exact = np.array([np.linalg.norm(gradient) for gradient in gradients])
        # Below float32's normal range the engine may round to zero. Plain stacks that stretch
        # small differences (BN; tanh at He's scale) stretch rounding too: compare magnitudes.
        inside = (exact > 1e-30) & (exact < 1e30)
        chaotic = not shortcut and (norm or activation == "tanh")
        tolerance = 0.5 if chaotic else 0.02
        logs = np.log10(norms[inside]), np.log10(exact[inside])
        np.testing.assert_allclose(*logs, atol=tolerance if depth >= 50 else 2e-3)


def test_depth_needs_no_new_trace():
    stacks.stack_gradients(3)
    before = stacks._compiled.cache_info().misses
    for depth in (1, 50, 200):
        assert stacks.stack_gradients(depth).signal.shape == (depth,)
    assert stacks._compiled.cache_info().misses == before


def test_trying_every_option_prints_nothing():
    code = """
import itertools
from resnet_lesson import stacks
for act, norm, shortcut in itertools.product(stacks.ACTIVATIONS, (False, True), (False, True)):
    stacks.stack_gradients(3, activation=act, normalization=norm, shortcut=shortcut)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout + done.stderr == ""


def test_a_norm_is_zero_only_when_its_entries_are():
    norms = stacks.stack_gradients(50, activation="sigmoid", initializer="glorot").weight_gradient
    # Squared, the entries of the first layer would be under 1e-45: a plain norm says zero.
    assert 0 < norms[0] < 1e-25
    deeper = stacks.stack_gradients(110, activation="sigmoid", initializer="glorot")
    assert deeper.weight_gradient[0] == 0


@pytest.mark.parametrize(
    "bad",
    [{"depth": 0}, {"depth": 201}, {"depth": 2.5}, {"activation": "cube"}, {"initializer": "x"}],
)
def test_bad_options_are_named(bad):
    with pytest.raises(ValueError, match=str(next(iter(bad.values())))):
        stacks.stack_gradients(**{"depth": 3} | bad)
