"""The sentence about a curve says only what the curve does."""

import numpy as np
import pytest

from resnet_lesson.gradients import trends

LAYERS = np.arange(50)


@pytest.mark.parametrize("factor", [0.26, 0.7, 1.18])
def test_a_constant_factor_is_found_and_named(factor):
    rough = 1 + 0.05 * np.random.default_rng(0).standard_normal(50)
    norms = (factor**LAYERS * rough)[::-1]  # the gradient starts at the loss, the last layer
    found = trends.describe(norms, "signal_gradient")
    assert found["shape"] == ("shrinks" if factor < 1 else "grows")
    assert float(found["factor"]) == pytest.approx(factor, rel=0.03)


@pytest.mark.parametrize("power", [1.5, 4, -3])
def test_a_power_of_the_distance_has_no_factor_per_layer(power):
    norms = ((1.0 + LAYERS) ** power)[::-1]
    found = trends.describe(norms, "weight_gradient")
    assert found["shape"] == ("rises" if power > 0 else "falls")
    assert "no constant factor" in trends.sentence(found, "weight_gradient")


def test_the_signal_is_read_forward():
    assert trends.describe(2.0**LAYERS, "signal")["shape"] == "grows"
    assert trends.describe(2.0**LAYERS, "signal_gradient")["shape"] == "shrinks"


@pytest.mark.parametrize(
    ("norms", "words"),
    [
        ([1e-9, 1], "at the first layer is about 10⁻⁹ of that at the last. It falls"),
        ([1e9, 1], "is about 10⁹ times that at the last. It rises"),
        ([2e-3, 1], "is 0.2 % of that"),
        ([141, 1], "is 140 times that"),
        ([1.02, 1], "is about as large as that"),
        ([2, 1], "is 2 times that at the last. From end to end it stays within a factor of 2."),
        ([0, 1], "No gradient reaches the first layer: in 1 of 2 layers it is exactly zero."),
        ([np.nan, 1], "It overflows: in 1 of 2 layers it is out of the range of 32-bit numbers."),
        ([1], "There is only one layer, and nothing to compare it with."),
        ([0, 0], "No gradient reaches the first layer: in 2 of 2 layers it is exactly zero."),
        ([0, 1, 2], "in 1 of 3 layers it is exactly zero"),
        ([np.inf, np.nan, 2], "in 2 of 3 layers it is out of the range"),
        ([1, 1e6, 2], "up and down, over a factor of 10⁶"),
        (0.2 ** LAYERS[::-1], "Each layer hands on about 0.2 of what it gets."),
        (1.3 ** LAYERS[::-1], "Each layer makes it about 1.3 times as large."),
    ],
)
def test_words(norms, words):
    sentence = trends.sentence(trends.describe(norms, "signal_gradient"), "signal_gradient")
    assert words in sentence
    assert "health" not in sentence


def test_far_is_where_the_quantity_arrives():
    for quantity, far in (("signal", "last layer"), ("weight_gradient", "first layer's weights")):
        norms = [1.0, 20.0] if quantity == "signal" else [20.0, 1.0]
        said = trends.sentence(trends.describe(norms, quantity), quantity)
        assert f"{far} is 20 times" in said


def test_every_sentence_can_be_filled_in():
    known = dict(ratio="2", factor="2", share="2 % of", zero=1, odd=0, depth=2)
    for shape in trends.HOW:
        for quantity in trends.SEEN:
            for more in ({}, {"odd": 1}, {"share": ""}):
                assert "{" not in trends.sentence(known | {"shape": shape} | more, quantity)
