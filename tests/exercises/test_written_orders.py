"""The blocks that a learner reads, and the orders that one writes, do what the checks say."""

from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from resnet_lesson.exercises import answers
from resnet_lesson.exercises import bottleneck_and_preactivation as exercises
from resnet_lesson.networks.layers import LayerMaker
from resnet_lesson.networks.orders import ORDERS, basic_convolutions
from resnet_lesson.networks.residual import module
from resnet_lesson.runtime import keras

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[2] / "notebooks/03_bottleneck_and_preactivation.ipynb"


@pytest.fixture
def blocks():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (source,) = [cell.source for cell in cells if cell.id == "published-blocks"]
    names = {"layers": keras.layers}
    exec(source, names)
    return names


def outputs(block, shape=exercises.SHAPE):
    image = keras.Input(shape)
    model = keras.Model(image, block(image))
    x = np.random.default_rng(0).standard_normal((8, *shape)).astype(np.float32)
    return answers.outputs(model, x)


def packaged(convolutions, order):
    make = LayerMaker("unit", -1, 0.0, 1e-3, 0.9)
    return lambda x: module(x, convolutions, order, make, reduce=False, shortcut=True)


def test_the_first_is_full_preactivation(blocks):
    convolutions = [(4, 1, 1), (4, 3, 1), (16, 1, 1)]
    expected = outputs(packaged(convolutions, "full_preactivation"))
    assert np.allclose(outputs(blocks["first"]), expected, atol=1e-4)


def test_the_second_is_the_original(blocks):
    expected = outputs(packaged(basic_convolutions(16, 1), "original"))
    assert np.allclose(outputs(blocks["second"]), expected, atol=1e-4)


def test_the_third_normalises_the_sum(blocks):
    found = outputs(blocks["third"], (8, 16))
    assert np.allclose(found.mean(axis=-1), 0, atol=1e-4)
    assert np.allclose(found.std(axis=-1), 1, atol=0.01)


def test_a_word_travels_as_the_stack_of_its_order():
    for word, order in exercises.FIVE.items():
        options: dict[str, Any] = {"kind": "basic", "normalization": True, "shortcut": True}
        options["order"] = order
        stack = exercises.stack_gradients(54, **options)
        wire = exercises.stack_gradients(54, shortcut_only=True, **options).signal_gradient
        share, growth = exercises._travels(word)
        assert np.isclose(growth, stack.signal[-1] / stack.signal[0], rtol=0.01)
        # The stack of (e) reads out behind a last norm and ReLU: only the ends' ratio is compared.
        assert np.isclose(share, wire[0] / wire[-1], rtol=0.3)
    assert list(exercises.FIVE) == ["cnrcn+r", "cnrc+nr", "cnrcnr+", "rcnrcn+", "nrcnrc+"]
    assert list(exercises.FIVE.values()) == list(ORDERS)


def test_no_word_is_near_the_bound():
    """Of all words with a clean wire, these two are the nearest to it."""
    least, most, due = (exercises._travels(word)[1] for word in ("rnrcnc+", "nrnrcc+", "nrcnrc+"))
    assert least < 1.5 * due
    assert most > 1.7 * due
