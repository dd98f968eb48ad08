"""The network with raw projections: the other one's shapes, another function."""

import numpy as np
import pytest

from resnet_lesson.data import load
from resnet_lesson.runtime import keras, set_seed
from resnet_lesson.studies import projection

pytestmark = pytest.mark.slow


def built(reads):
    set_seed(0)
    return projection.build(reads, 2)


def test_both_have_one_table_of_shapes():
    one, other = built("activated"), built("raw")
    assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
    for ours, theirs in zip(one.weights, other.weights, strict=True):
        assert ours.shape == theirs.shape


@pytest.mark.parametrize("reads", ["activated", "raw"])
def test_a_projection_reads_what_it_is_said_to_read(reads):
    model = built(reads)
    digits = load("digits").x_test[:32]
    projections = [layer for layer in model.layers if layer.name.endswith("_projection")]
    assert len(projections) == 2
    for layer in projections:
        unit = layer.name.removesuffix("_projection")
        first = model.get_layer(f"{unit}_bn1")
        raw, read = keras.Model(model.input, [first.input, layer.input])(digits)
        if reads == "raw":
            np.testing.assert_array_equal(read, raw)
        else:
            assert (np.asarray(read) >= 0).all()
            np.testing.assert_allclose(read, np.maximum(first(raw), 0), atol=1e-5)


def test_the_study_of_projections(monkeypatch):
    monkeypatch.setattr(projection, "EPOCHS", 3)
    (right,), (raw,) = (projection.measure(reads, 2, 0.1, seed=0) for reads in ("activated", "raw"))
    assert right["train_accuracy"] > 0.5
    assert right != raw
