"""What each ingredient does to the gradient, and when a factor a layer may be named."""

import itertools
from typing import Any

import numpy as np
import pytest

from resnet_lesson.gradients import trends
from resnet_lesson.gradients.stacks import stack_gradients
from resnet_lesson.studies import initialisation

STACK: dict[str, Any] = dict(
    activation="relu", normalization=False, shortcut=False, initializer="he", depth=3
)


def measured(seed=0, **settings):
    (row,) = initialisation.measure(seed=seed, **STACK | settings)
    return row


def test_the_measures_are_those_of_the_stack_that_is_named():
    stack = stack_gradients(
        5, kind="convolution", activation="tanh", initializer="glorot", shortcut=True, seed=1
    )
    row = measured(seed=1, activation="tanh", initializer="glorot", shortcut=True, depth=5)
    for measure, norms in [
        ("log10_ratio", stack.signal_gradient),
        ("weight_log10_ratio", stack.weight_gradient),
        ("signal_log10_growth", stack.signal[::-1]),
    ]:
        assert row[measure] == pytest.approx(np.log10(norms[0] / norms[-1]), rel=1e-6)
    # np.polyfit of the logarithms on the layers travelled, written out.
    travelled, logs = np.arange(5.0), np.log(stack.signal_gradient[::-1])
    centred = travelled - travelled.mean()
    slope = np.sum(centred * logs) / np.sum(centred**2)
    assert row["factor"] == pytest.approx(np.exp(slope), rel=1e-9)


def test_vanishing_is_an_exponential_that_ends_in_exact_zeros():
    row = measured(activation="sigmoid", initializer="glorot", depth=100)
    assert row["exponential"]
    assert 0.15 < row["factor"] < 0.35
    assert 0 < row["zeros"] < 100
    assert row["log10_ratio"] is None
    assert row["weight_log10_ratio"] is None
    assert np.isfinite(row["signal_log10_growth"])


def test_shortcuts_with_bn_have_no_constant_factor():
    assert measured(normalization=True, depth=50)["exponential"]
    assert not measured(normalization=True, shortcut=True, depth=50)["exponential"]


@pytest.mark.parametrize("factor", [0.26, 1.18])
def test_a_factor_is_one_only_where_the_layers_agree(factor):
    layers = np.arange(50)
    found, exponential = trends.trend((factor**layers)[::-1], "signal_gradient")
    assert exponential
    assert found == pytest.approx(factor)
    found, exponential = trends.trend((factor**layers), "signal_gradient")
    assert found == pytest.approx(1 / factor)
    assert not trends.trend((1.0 + layers) ** -3, "signal")[1]


def test_one_norm_has_no_factor():
    assert trends.trend([0.0, 1.0], "signal_gradient") == (None, False)


def test_the_grid_is_every_combination():
    grid = initialisation.STUDY.grid
    assert len(grid) == 3 * 2 * 2 * 2 * 3
    assert {c["depth"] for c in grid} == {20, 50, 100}
    # One compiled stack serves six configurations in a row, and is not met again.
    compiled = [(c["activation"], c["normalization"], c["shortcut"]) for c in grid]
    changes = sum(a != b for a, b in itertools.pairwise(compiled))
    assert changes + 1 == len(set(compiled)) == 12
