"""The arithmetic of the network against networks that were built."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_lesson import build
from resnet_lesson.networks import cost
from resnet_lesson.networks.orders import ORDERS
from resnet_lesson.runtime import keras

ARTICLE = (64, 64, 3, 200, (3, 4, 6), (64, 128, 256, 512))


def prefix(name):
    """The part that a layer of ``build`` belongs to."""
    stage = re.match(r"stage\d+", name)
    if stage:
        return stage[0]
    return "stem" if name.startswith("stem_") else "classifier"


def counted(model):
    """Parameters, trainable ones and multiply-adds of a model by part, from its layers."""
    found = {}
    for layer in model.layers:
        sizes = [int(np.prod(w.shape)) for w in layer.weights]
        trained = [int(np.prod(w.shape)) for w in layer.trainable_weights]
        pixels = np.prod(layer.output.shape[1:-1], dtype=int)
        kernels = [w for w in layer.weights if w.name == "kernel"]
        adds = sum(int(pixels * np.prod(w.shape)) for w in kernels)
        part = found.setdefault(prefix(layer.name), np.zeros(3, int))
        part += [sum(sizes), sum(trained), adds]
    return found


def assert_as_built(arguments, order):
    model = build(*arguments, order=order)
    found = counted(model)
    for part in cost.parts(*arguments, order=order):
        figures = [part.parameters, part.trainable, part.multiply_adds]
        assert figures == list(found.get(part.name, (0, 0, 0)))
    ends = {prefix(layer.name): layer.output.shape[1:] for layer in model.layers[:-4]}
    for part in cost.parts(*arguments, order=order):
        if part.name.startswith("stage"):
            assert (part.height, part.width, part.channels) == ends[part.name]


def test_the_articles_example():
    parts = cost.parts(*ARTICLE)
    sums = [sum(getattr(p, n) for p in parts) for n in ("modules", "parameters", "trainable")]
    assert sums == [13, 2_265_748, 2_252_046]  # the article's, by Keras
    maps = [(part.height, part.width, part.channels) for part in parts]
    assert maps[:2] == [(64, 64, 64), (32, 32, 64)]
    assert maps[2:5] == [(32, 32, 128), (16, 16, 256), (8, 8, 512)]


@pytest.mark.parametrize("order", ORDERS)
def test_the_sums_are_those_of_the_built_article(order):
    assert_as_built(ARTICLE, order)


@st.composite
def networks(draw, most=3):
    stages = draw(st.lists(st.integers(1, 3), min_size=1, max_size=most))
    side = st.integers(2 ** (len(stages) - 1) + 1, 40)
    quarters = draw(st.lists(st.integers(1, 6), min_size=len(stages), max_size=len(stages)))
    filters = [draw(st.integers(1, 20)), *(4 * quarter for quarter in quarters)]
    sizes = draw(side), draw(side), draw(st.integers(1, 4)), draw(st.integers(1, 12))
    return (*sizes, tuple(stages), tuple(filters))


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=12)
@given(arguments=networks(), order=st.sampled_from(list(ORDERS)))
def test_the_sums_are_those_of_built_networks(arguments, order):
    keras.backend.clear_session()
    assert_as_built(arguments, order)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({0: 0}, "width must be a positive integer, received 0"),
        ({3: 2.5}, "classes must be a positive integer, received 2.5"),
        ({0: 4}, "width must be at least 5 pixels to be halved 3 times, received 4"),
        ({4: ()}, r"stages must be a non-empty list or tuple, received \(\)"),
        ({4: (1, 2)}, "2 stages need 3 filters, received"),
        ({5: (64, 128, 256, 510)}, r"filters\[3\] must be divisible by 4, .* received 510"),
    ],
)
def test_the_impossible_is_refused_in_the_words_of_build(change, words):
    arguments = [change.get(place, value) for place, value in enumerate(ARTICLE)]
    with pytest.raises(ValueError, match=words) as ours:
        cost.parts(*arguments)
    with pytest.raises(ValueError, match=words) as theirs:
        build(*arguments)
    assert str(ours.value) == str(theirs.value)


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match=r"order must be one of original, .*received 'x'"):
        cost.parts(*ARTICLE, order="x")
