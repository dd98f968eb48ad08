"""The gradients are right at the depths that are shown, and so is what is said of them."""

import numpy as np
import pytest

from resnet_lesson.gradients.stacks import stack_gradients
from resnet_lesson.studies import shattering
from resnet_lesson.studies.shattering import NETWORKS, autocorrelation


@pytest.mark.parametrize("depth", [2, 50])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_gradient_is_that_of_finite_differences(network, depth):
    """A wrong factor a layer would be a factor of 1e9 at depth 50."""
    stack = stack_gradients(depth, width=shattering.WIDTH, seed=3)
    rest = stack.inputs, stack.weights, stack.readout, network
    start, end = stack.inputs[:2].astype(float)
    points = shattering.line(start, end, 5)[1:4]
    gradients = shattering.input_gradients(points, *rest)
    assert gradients.shape == points.shape
    direction = np.random.default_rng(0).standard_normal(points.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    step = 1e-9  # within the piece on which the rectifiers stay as they are
    above, below = (
        shattering.output(points + sign * step * direction, *rest).numpy() for sign in (1, -1)
    )
    slopes = (above - below) / (2 * step)
    largest = np.linalg.norm(gradients, axis=1)
    assert np.all(np.abs(slopes - np.sum(gradients * direction, axis=1)) < 1e-3 * largest)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_the_network_is_the_stack_of_the_lesson(network):
    """On the digits themselves: the read-out of a NumPy version, whose loss is the stack's."""
    normalization, shortcut = NETWORKS[network]
    stack = stack_gradients(
        4, width=shattering.WIDTH, normalization=normalization, shortcut=shortcut, seed=2
    )
    digits = stack.inputs.astype(float)

    def activated(h):
        if normalization:
            h = (h - h.mean(axis=0)) / np.sqrt(h.var(axis=0) + 2e-5)
        return np.maximum(h, 0)

    h = digits
    for weight in stack.weights:
        h = shortcut * h + activated(h) @ weight
    answers = activated(h) @ stack.readout
    logs = np.log(np.exp(answers).sum(axis=1)) - answers[np.arange(len(h)), stack.labels]
    assert logs.mean() == pytest.approx(stack.loss, rel=1e-4)
    found = shattering.output(digits, digits, stack.weights, stack.readout, network)
    np.testing.assert_allclose(found, answers[:, 0], rtol=1e-6, atol=1e-9)


def test_a_points_gradient_is_its_own():
    stack = stack_gradients(5, width=shattering.WIDTH, seed=0)
    rest = stack.inputs, stack.weights, stack.readout, "residual_bn"
    start, end = stack.inputs[:2].astype(float)
    points = shattering.line(start, end, 4)
    alone = shattering.input_gradients(points[1:2], *rest)
    np.testing.assert_allclose(shattering.input_gradients(points, *rest)[1:2], alone, rtol=1e-9)


def test_a_line_has_its_ends_and_even_steps():
    points = shattering.line(np.zeros(3), np.array([0.0, 5.0, 10.0]), 6)
    np.testing.assert_allclose(points, np.outer(np.arange(6), [0, 1, 2]))


def test_white_noise_has_no_correlation_and_brown_noise_has():
    white = np.random.default_rng(0).standard_normal((256, 200))
    brown = np.cumsum(white, axis=0)
    for lag in shattering.LAGS:
        assert abs(autocorrelation(white, lag)) < 0.03
    assert autocorrelation(brown, 1) > 0.95
    assert autocorrelation(brown, 1) > autocorrelation(brown, 10) > autocorrelation(brown, 50)


def test_a_wave_correlates_with_itself_and_its_opposite():
    angle = np.arange(200) * np.pi / 10
    wave = 7 + np.stack([np.sin(angle), np.cos(angle)], axis=1)
    found = [autocorrelation(wave, lag) for lag in (5, 10, 20)]
    np.testing.assert_allclose(found, [0, -1, 1], atol=1e-9)


def test_there_is_a_line_for_each_lag():
    rows = shattering.measure("plain", 2, seed=0)
    assert [row["lag"] for row in rows] == list(shattering.LAGS)
    correlations = [row["correlation"] for row in rows]
    assert 1 > correlations[0] > 0.9
    assert sorted(correlations, reverse=True) == correlations


def test_bn_shatters_a_deep_plain_network_and_shortcuts_mend_it():
    def neighbours(network):
        return shattering.measure(network, 50, seed=0)[0]["correlation"]

    assert abs(neighbours("plain_bn")) < 0.2
    assert neighbours("residual_bn") > 0.9


def test_the_grid_is_every_network_at_every_depth():
    grid = shattering.STUDY.grid
    assert len(grid) == 12
    assert {c["network"] for c in grid} == set(NETWORKS)
    assert {c["depth"] for c in grid} == {2, 10, 50, 100}
