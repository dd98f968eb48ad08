"""The probe: right by finite differences, and the model exactly as it was."""

import numpy as np
import pytest

from resnet_lesson import gradient_norms
from resnet_lesson.probe import norm
from resnet_lesson.runtime import keras, set_seed

layers = keras.layers


def small_model(dtype="float32", **conv):
    set_seed(0)
    return keras.Sequential(
        [
            keras.Input((5, 5, 2), dtype=dtype),
            layers.Conv2D(3, 3, name="first", dtype=dtype, **conv),
            layers.BatchNormalization(dtype=dtype),
            layers.DepthwiseConv2D(2, name="depthwise", activation="tanh", dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dropout(0.5, seed=3, dtype=dtype),
            layers.Dense(4, name="last", activation="softmax", dtype=dtype),
        ]
    )


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return random.standard_normal((6, 5, 5, 2)), random.integers(0, 4, 6)


def test_agrees_with_finite_differences(batch):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        check_finite_differences(small_model("float64"), batch)
    finally:
        keras.config.set_dtype_policy(policy)


def check_finite_differences(model, batch):
    model.layers[4].rate = 0.0  # dropout draws anew at each pass; differences need one function
    x, y = batch
    loss = keras.losses.SparseCategoricalCrossentropy(dtype="float64")

    def value():
        return float(loss(y, model(x, training=True)))

    records = gradient_norms(model, x, y, loss)
    assert len(records) == 3
    for record in records:
        kernel = model.get_layer(record.layer).kernel
        start, slopes = kernel.numpy(), []
        for index in np.ndindex(*start.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = start.copy()
                moved[index] += step
                kernel.assign(moved)
                ends.append(value())
            slopes.append((ends[0] - ends[1]) / 2e-6)
        kernel.assign(start)
        assert record.gradient_norm == pytest.approx(np.linalg.norm(slopes), rel=1e-5)
        assert record.weight_norm == pytest.approx(np.linalg.norm(start), rel=1e-12)


def test_order_and_names(batch):
    names = [record.layer for record in gradient_norms(small_model(), *batch)]
    assert names == ["first", "depthwise", "last"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_stays_bit_for_bit(batch, fails):
    model = small_model()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*batch, verbose=0)
    kept = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    before = [variable.numpy().tobytes() for variable in kept]
    assert any("seed" in variable.path for variable in model.variables)
    if fails:

        def broken(y, prediction):
            raise RuntimeError("broken loss")

        with pytest.raises(RuntimeError, match="broken loss"):
            gradient_norms(model, *batch, loss=broken)
    else:
        gradient_norms(model, *batch)
    assert [variable.numpy().tobytes() for variable in kept] == before


def test_a_penalty_leaves_no_floor(batch):
    plain = gradient_norms(small_model(), *batch)
    assert gradient_norms(small_model(kernel_regularizer="l2"), *batch) == plain


def test_takes_the_compiled_loss_and_else_cross_entropy(batch):
    model, (x, y) = small_model(), batch
    default = gradient_norms(model, x, y)
    assert default == gradient_norms(model, x, y, "sparse_categorical_crossentropy")
    model.compile(loss="mse")
    targets = np.eye(4)[y]
    assert gradient_norms(model, x, targets) == gradient_norms(model, x, targets, "mse")
    assert gradient_norms(model, x, targets) != default


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3e-30, 4e-30], 5e-30), ([3e300, 4e300], 5e300), ([0, 0], 0), ([np.inf, 1], np.inf)],
)
def test_norm_keeps_to_the_range_of_its_entries(values, expected):
    assert norm(values) == pytest.approx(expected, rel=1e-12, abs=0)
    assert np.isnan(norm([np.nan, 1]))


def test_refusals(batch):
    x, y = batch
    with pytest.raises(ValueError, match="built"):
        gradient_norms(keras.Sequential([layers.Dense(2)]), x, y)
    with pytest.raises(ValueError, match="trainable kernel"):
        gradient_norms(keras.Sequential([keras.Input((2,)), layers.ReLU()]), x, y)
    with pytest.raises(ValueError, match="received 6 and 5"):
        gradient_norms(small_model(), x, y[:5])
    with pytest.raises(ValueError, match="received 0 and 0"):
        gradient_norms(small_model(), x[:0], y[:0])
    several = small_model()
    several.compile("adam", loss=["mse", "mse"])
    with pytest.raises(ValueError, match="one output"):
        gradient_norms(several, x, y)


def test_refusals_leave_the_model(batch):
    model, (x, y) = small_model(), batch
    before = [variable.numpy().tobytes() for variable in model.variables]
    with pytest.raises(ValueError, match="received 6 and 5"):
        gradient_norms(model, x, y[:5])
    with pytest.raises(Exception, match=r"(?i)shape|incompatible"):
        gradient_norms(model, x[:, :, :, :1], y)
    assert [variable.numpy().tobytes() for variable in model.variables] == before


def test_the_pass_is_in_training_mode(batch):
    # In inference mode the averages of the norm would take part, and moving them would show.
    first, second = small_model(), small_model()
    second.layers[4].rate = first.layers[4].rate = 0.0
    norms = second.layers[1]
    norms.moving_mean.assign(norms.moving_mean + 5)
    norms.moving_variance.assign(norms.moving_variance * 9)
    assert gradient_norms(first, *batch) == gradient_norms(second, *batch)


def test_frozen_kernels_are_left_out(batch):
    model = small_model()
    model.get_layer("first").trainable = False
    assert [record.layer for record in gradient_norms(model, *batch)] == ["depthwise", "last"]


def test_norm_of_nothing_and_of_many_dimensions():
    assert norm([]) == 0
    assert norm(np.full((2, 2), 1e-30, "float32")) == pytest.approx(2e-30, rel=1e-6, abs=0)
    assert norm(np.full((2, 2), 1e30, "float32")) == pytest.approx(2e30, rel=1e-6)
    assert norm([-np.inf, 1]) == np.inf
    assert np.isnan(norm([np.nan, np.inf]))
