"""The study of paths: every path by itself, and modules deleted."""

import itertools

import numpy as np
import pytest

from resnet_lesson import studies
from resnet_lesson.data import load
from resnet_lesson.networks.dissect import dissect
from resnet_lesson.runtime import keras, tf
from resnet_lesson.studies import paths, trainer

pytestmark = pytest.mark.slow

MODULES = 3


@pytest.fixture(scope="module")
def model():
    return trainer.build_fused(2 + 2 * MODULES, True)


@pytest.fixture(scope="module")
def batch():
    digits = load("digits")
    return digits.x_train[:16], digits.y_train[:16]


@pytest.fixture(scope="module")
def gradient_and_vjps(model, batch):
    return paths.backward(model, *batch)


def loss_gradient(model, layer, batch):
    """The gradient of the loss at a layer's output: one tape over the model as it was built."""
    x, y = batch
    tensor = model.get_layer(layer).output
    h = keras.Model(model.input, tensor)(x, training=True)
    with tf.GradientTape() as tape:
        tape.watch(h)
        answers = keras.Model(tensor, model.output)(h, training=True)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, answers))
    return tape.gradient(loss, h).numpy()


def test_the_parts_add_up_to_the_gradient(model, batch, gradient_and_vjps):
    parts = paths.split(*gradient_and_vjps)
    assert len(parts) == MODULES + 1
    whole = loss_gradient(model, "stem_conv", batch)
    np.testing.assert_allclose(sum(parts), whole, rtol=1e-3, atol=1e-4 * np.abs(whole).max())


def test_length_zero_is_the_gradient_at_the_end_of_the_wire(model, batch, gradient_and_vjps):
    end = loss_gradient(model, f"stage1_unit{MODULES}_add", batch)
    part = paths.split(*gradient_and_vjps)[0]
    np.testing.assert_allclose(part, end, rtol=1e-3, atol=1e-5 * np.abs(end).max())


def cut(model, batch, chosen):
    """The gradient where a path alone is open: the branches of ``chosen``, else the shortcuts."""
    x, y = batch
    stem, modules, head = dissect(model)
    with tf.GradientTape() as tape:
        start = h = stem(x, training=True)
        tape.watch(start)
        for place, module in enumerate(modules):
            out = module.branch(h, training=True)
            h = tf.stop_gradient(h) + out if place in chosen else h + tf.stop_gradient(out)
        losses = keras.losses.sparse_categorical_crossentropy(y, head(h, training=True))
        loss = tf.reduce_mean(losses)
    return tape.gradient(loss, start).numpy()


def test_each_part_is_the_sum_over_its_paths(model, batch, gradient_and_vjps):
    gradient, vjps = gradient_and_vjps
    for length, part in enumerate(paths.split(gradient, vjps)):
        subsets = list(itertools.combinations(range(MODULES), length))
        alone = [cut(model, batch, subset) for subset in subsets]
        tolerance = {"rtol": 1e-3, "atol": 1e-4 * np.abs(part).max()}
        np.testing.assert_allclose(sum(alone), part, **tolerance)
        for subset, expected in zip(subsets, alone, strict=True):
            from_the_end = [MODULES - 1 - place for place in subset]
            got = paths.along(gradient, vjps, from_the_end)
            np.testing.assert_allclose(got, expected, **tolerance)


def test_the_rows_of_lengths():
    rows = paths.measure("length", network="residual", depth=2 + 2 * MODULES, epochs=0, seed=0)
    assert [row["length"] for row in rows] == list(range(MODULES + 1))
    norms = 10 ** np.array([row["log10_norm"] for row in rows])
    np.testing.assert_allclose(norms / norms[0], [row["share"] / rows[0]["share"] for row in rows])
    for row in (rows[0], rows[-1]):  # a length of one path only
        assert row["log10_path_norm"] == pytest.approx(row["log10_norm"], abs=1e-4)


def test_deleting_a_module_that_does_nothing_changes_nothing(model, batch):
    x, _ = batch
    before = model(x, training=False).numpy()
    layer = model.get_layer("stage1_unit2_conv2")
    (kernel,) = layer.get_weights()
    answers = []
    stem, (first, _, last), head = dissect(model)
    for weights in (0 * kernel, kernel):
        layer.set_weights([weights])
        whole = model(x, training=False).numpy()
        without = head(last.whole(first.whole(stem(x)))).numpy()
        answers.append(np.abs(whole - without).max())
    np.testing.assert_array_equal(model(x, training=False), before)
    assert answers[0] == 0 < 1e-4 < answers[1]


def test_the_rows_of_deletions():
    rows = paths.measure(part="deletion", network="residual", depth=8, epochs=2, seed=0)
    assert [row["module"] for row in rows] == [1, 2, 3]
    assert all(row["accuracy"] <= row["whole_accuracy"] + 0.05 for row in rows)
    assert len({row["accuracy"] for row in rows}) > 1
    assert all(row["recalibrated_accuracy"] > 0.1 for row in rows)
    assert rows[0]["whole_accuracy"] > 0.5


def test_calibrated_deletion_uses_statistics_of_the_network_that_is_left():
    """Where the deleted branch is a constant, the BN after it can take all of it back."""
    model = trainer.build_fused(2 + 2 * MODULES, True)
    model.get_layer("stage1_unit1_bn2").set_weights(
        [0 * weight for weight in model.get_layer("stage1_unit1_bn2").get_weights()]
    )
    whole = trainer.accuracies(model)["test_accuracy"]
    first, *others = paths._without_each(model)
    assert first == {"accuracy": whole, "recalibrated_accuracy": whole}
    assert all(row["accuracy"] != row["recalibrated_accuracy"] for row in others)


def test_the_grid_has_both_networks_and_both_times():
    grid = studies.study("paths").grid
    assert {c["epochs"] for c in grid if c["part"] == "length"} == {0, 10}
    deleted = {(c["network"], c["depth"]) for c in grid if c["part"] == "deletion"}
    assert deleted == {("residual", 20), ("plain", 20), ("residual", 56)}
