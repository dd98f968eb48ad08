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
    assert factor ** int(found["layers"]) == pytest.approx(1e9 ** np.sign(factor - 1), rel=0.8)


@pytest.mark.parametrize("power", [1.5, 4, -3])
def test_a_power_of_the_distance_has_no_factor_per_layer(power):
    norms = ((1.0 + LAYERS) ** power)[::-1]
    found = trends.describe(norms, "weight_gradient")
    assert found["shape"] == ("rises" if power > 0 else "falls")
    assert "a layer" not in trends.sentence(found, "weight_gradient")


def test_the_signal_is_read_forward():
    assert trends.describe(2.0**LAYERS, "signal")["shape"] == "grows"
    assert trends.describe(2.0**LAYERS, "signal_gradient")["shape"] == "shrinks"


@pytest.mark.parametrize(
    ("norms", "words"),
    [
        ([1e-9, 1], "falls 1.0e9x"),
        ([1e9, 1], "rises 1.0e9x"),
        ([2, 1], "within a factor of 2 from"),
        ([0, 1], "in 1 of 2 layers it is exactly zero"),
        ([np.nan, 1], "in 1 of 2 layers it overflows"),
        ([3, 2, 1], "within a factor of 3 from"),
        ([1], "a single value"),
        ([0, 0], "no value that can be drawn; in 2 of 2 layers it is exactly zero"),
        ([0, 1, 2], "in 1 of 3 layers it is exactly zero"),
        ([np.inf, np.nan, 2], "in 2 of 3 layers it overflows"),
        ([1, 1e6, 2], "up and down over a factor of 1.0e6"),
    ],
)
def test_words(norms, words):
    sentence = trends.sentence(trends.describe(norms, "signal_gradient"), "signal_gradient")
    assert words in sentence
    assert "health" not in sentence


def test_every_sentence_can_be_filled_in():
    known = dict(ratio="2", factor="2", layers="3", zero=1, odd=1, depth=2)
    for shape in trends.SENTENCES:
        for quantity in trends.SUBJECTS:
            assert "{" not in trends.sentence(known | {"shape": shape}, quantity)
