"""On each backend of Keras: ``gradient_norms`` against the backend's own gradients."""

import sys

import numpy as np
import pytest
from cases import CASES, made
from independent import cross_entropy, gradients

import resnet_lesson
from resnet_lesson import gradient_norms, grouped_norms
from resnet_lesson.backend import NAME, keras


@pytest.mark.parametrize("name", CASES)
def test_norms_are_those_of_the_backends_own_gradients(name):
    model, x, y = made(name)
    expected = gradients(model, x, cross_entropy(y))
    before = [weight.numpy() for weight in model.weights]
    for _ in range(3):  # at once, while it is traced, and compiled
        found = gradient_norms(model, x, y, which="all")
        assert len(found) == len(expected)
        for norms in found:
            paths = (norms.layer, f"{norms.layer}/kernel")
            own = next(expected[path] for path in paths if path in expected)
            exact = np.linalg.norm(own.astype(float))
            assert norms.gradient_norm == pytest.approx(exact, rel=1e-5, abs=1e-6)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.parametrize("name", CASES)
def test_backends_agree(name, reference):
    model, x, y = made(name)
    found, expected = gradient_norms(model, x, y), reference[name]
    assert [norms.layer for norms in found] == [layer for layer, *_ in expected]
    # With batch normalisation, what one backend rounds is made larger by every layer below.
    tolerance = 1e-5 if name == "dense_stack" else 1e-3
    for norms, (_, gradient, weight) in zip(found, expected, strict=True):
        assert norms.gradient_norm == pytest.approx(gradient, rel=tolerance)
        assert norms.weight_norm == pytest.approx(weight, rel=1e-6)


def test_what_is_not_a_kernel_is_measured_too():
    model, x, y = made("article")
    every = {norms.layer for norms in gradient_norms(model, x, y, which="all")}
    kernels = [norms.layer for norms in gradient_norms(model, x, y)]
    assert set(kernels) < every
    assert {"classifier/bias", "stem_bn1/gamma", "final_bn1/beta"} <= every
    assert len(every) == len(model.trainable_weights)


def test_adapters_are_measured_where_the_kernel_is_frozen():
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, name="wide"), keras.layers.Dense(3, name="end")]
    )
    model.layers[0].enable_lora(2)
    x = np.random.default_rng(0).standard_normal((4, 6))
    found = gradient_norms(model, x, np.arange(4) % 3, _logits_loss(), which="all")
    assert [norms.layer for norms in found] == [
        *("wide/bias", "wide/lora_kernel_a", "wide/lora_kernel_b"),
        *("end", "end/bias"),
    ]
    by_layer = {norms.layer: norms.gradient_norm for norms in found}
    assert by_layer["wide/lora_kernel_a"] == 0  # behind it, b is zero at the start
    assert by_layer["wide/lora_kernel_b"] > 0


def _logits_loss():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def test_quantised_kernels_are_not_measured_and_biases_are():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, name="wide")])
    model.quantize("int8")
    x = np.random.default_rng(0).standard_normal((4, 6))
    found = gradient_norms(model, x, np.arange(4), _logits_loss(), which="all")
    assert [norms.layer for norms in found] == ["wide/bias"]


def test_groups_are_the_norm_of_all_their_numbers():
    model, x, y = made("article")
    own, found = gradients(model, x, cross_entropy(y)), gradient_norms(model, x, y, which="all")

    def norm(prefix):
        parts = [values.ravel() for path, values in own.items() if path.startswith(prefix)]
        return np.linalg.norm(np.concatenate(parts).astype(float))

    stages = {norms.layer: norms.gradient_norm for norms in grouped_norms(found, "stage")}
    assert list(stages) == ["stem", "stage1", "stage2", "stage3", "final", "classifier"]
    for name, value in stages.items():
        assert value == pytest.approx(norm(name), rel=1e-5)
    blocks = {norms.layer: norms.gradient_norm for norms in grouped_norms(found, "block")}
    assert blocks["stage2_unit2"] == pytest.approx(norm("stage2_unit2"), rel=1e-5)
    (total,) = grouped_norms(found, "total")
    assert total.gradient_norm == pytest.approx(norm(""), rel=1e-5)
    sides = grouped_norms(found, lambda path: "scale" if path.endswith("gamma") else "rest")
    assert {norms.layer for norms in sides} == {"scale", "rest"}
    with pytest.raises(ValueError, match=r"by must be .*received 'layer'"):
        grouped_norms(found, "layer")


def test_half_precision_is_scaled():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, x, y = made("dense_stack")
    finally:
        keras.config.set_dtype_policy(before)
    exact, _, _ = made("dense_stack")
    for half, whole in zip(gradient_norms(model, x, y), gradient_norms(exact, x, y), strict=True):
        assert half.gradient_norm == pytest.approx(whole.gradient_norm, rel=0.1)


if NAME != "tensorflow":

    def test_tensorflow_is_not_imported():
        assert "tensorflow" not in sys.modules
        assert keras.backend.backend() == NAME

    def test_the_lesson_says_that_it_needs_tensorflow():
        words = f"compute on TensorFlow, and Keras is set to '{NAME}'"
        with pytest.raises(ImportError, match=words):
            resnet_lesson.stack_gradients  # noqa: B018

    def test_the_widgets_say_what_they_need():
        with pytest.raises(ImportError, match=r"the widgets need TensorFlow, .* without --no-deps"):
            resnet_lesson.GradientExplorer  # noqa: B018
