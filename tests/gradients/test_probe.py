"""The probe: right by finite differences, and the model exactly as it was."""

import copy
import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from resnet_lesson import gradient_norms
from resnet_lesson.gradients.norms import norm
from resnet_lesson.runtime import keras, set_seed, tf

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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    with pytest.raises(ValueError, match="received 6 and 6 and 5"):
        gradient_norms(small_model(), x, y, sample_weight=np.ones(5))
    with pytest.raises(ValueError, match="brings its own targets"):
        gradient_norms(small_model(), tf.data.Dataset.from_tensors((x, y)), y)
    with pytest.raises(ValueError, match="received 0"):
        gradient_norms(small_model(), tf.data.Dataset.from_tensor_slices((x[:0], y[:0])).batch(2))


def test_what_is_no_batch_is_refused(batch):
    x, y = batch
    model = small_model()
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"y must be given for the loss 'sparse_.*received None"):
        gradient_norms(model, x)
    with pytest.raises(ValueError, match=r"must be of arrays, .*received generator"):
        gradient_norms(model, (part for part in batch), y)


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


# ---------------------------------------------------------------- the loss is the one fit uses


class Tape(keras.Model):
    """Keeps the norms that its own train_step differentiates: what fit did, by an explicit tape."""

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            prediction = self(x, training=True)
            loss = self.compute_loss(x, y, prediction, sample_weight)
        gradients = tape.gradient(loss, self.trainable_weights)
        pairs = zip(self.trainable_weights, gradients, strict=True)
        self.seen = [norm(tf.convert_to_tensor(g)) for w, g in pairs if len(w.shape) > 1]
        return self.compute_metrics(x, y, prediction, sample_weight)


def fitted(model, x, y=None, **options):
    """The norms of the kernels in the one step of a fit."""
    model.fit(x, y, batch_size=len(tf.nest.flatten(x)[0]), shuffle=False, verbose=0, **options)
    return model.seen


def assert_as_fit(model, x, y, **options):
    found = [kernel.gradient_norm for kernel in gradient_norms(model, x, y, **options)]
    assert min(found) > 0
    right = fitted(model, x, y, **options)
    np.testing.assert_allclose(sorted(found), sorted(right), rtol=1e-5)


def one_output(units=3, activation="softmax"):
    set_seed(0)
    image = keras.Input((5,))
    hidden = layers.Dense(4, activation="tanh", name="hidden")(image)
    return Tape(image, layers.Dense(units, activation, name="out")(hidden))


def own_loss(y_true, y_pred):
    return tf.reduce_mean(tf.square(tf.cast(y_true, y_pred.dtype) - y_pred))


IDS = np.array([0, 1, 2, 0, 1, 2, 0])
LOSSES = {
    "class ids": (3, "softmax", "sparse_categorical_crossentropy", IDS),
    "class ids in a column": (3, "softmax", "sparse_categorical_crossentropy", IDS[:, None]),
    "one-hot": (3, "softmax", "categorical_crossentropy", np.eye(3)[IDS]),
    "kl": (3, "softmax", "kl_divergence", np.eye(3)[IDS] * 0.8 + 0.2 / 3),
    "logits": (3, None, keras.losses.SparseCategoricalCrossentropy(from_logits=True), IDS),
    "binary": (1, "sigmoid", "binary_crossentropy", IDS % 2),
    "hinge": (1, None, "hinge", IDS % 2),
    "regression": (1, None, "mean_squared_error", IDS / 3),
    "own function": (1, None, own_loss, IDS / 3),
    "float64": (1, None, own_loss, np.float64(IDS) / 3),
    "a list of one": (3, "softmax", ["sparse_categorical_crossentropy"], IDS),
    "a dict": (3, "softmax", {"out": "sparse_categorical_crossentropy"}, IDS),
}


@pytest.fixture
def rows():
    return np.random.default_rng(0).standard_normal((7, 5)).astype("float32")


@pytest.mark.parametrize(("units", "activation", "loss", "y"), LOSSES.values(), ids=LOSSES)
def test_the_loss_is_the_one_of_fit(units, activation, loss, y, rows):
    model = one_output(units, activation)
    given = [kernel.gradient_norm for kernel in gradient_norms(model, rows, y, loss)]
    model.compile("sgd", loss, run_eagerly=True)
    compiled = [kernel.gradient_norm for kernel in gradient_norms(model, rows, y)]
    assert given == compiled
    assert_as_fit(model, rows, y)


def test_by_numpy(rows):
    # Labels of shape (B,) against (B, 1): broadcasting would compare each with all.
    model = keras.Sequential([keras.Input((5,)), layers.Dense(1)])
    model.compile("sgd", own_loss)
    (kernel,) = gradient_norms(model, rows, IDS / 3)
    error = rows @ model.layers[0].kernel.numpy()[:, 0] - IDS / 3
    assert kernel.gradient_norm == pytest.approx(np.linalg.norm(2 / 7 * rows.T @ error), rel=1e-5)


@pytest.mark.parametrize("weights", [[10.0], 10.0])
def test_loss_weights_count(rows, weights):
    model = one_output()
    loss = "sparse_categorical_crossentropy"
    plain = gradient_norms(model, rows, IDS, loss)
    model.compile("sgd", loss, loss_weights=weights, run_eagerly=True)
    for one, ten in zip(plain, gradient_norms(model, rows, IDS), strict=True):
        assert ten.gradient_norm == pytest.approx(10 * one.gradient_norm, rel=1e-5)
    assert_as_fit(model, rows, IDS)


def test_sample_weights_count(rows):
    model = one_output()
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    weights = np.array([1, 0, 0, 3, 0.5, 0, 0])
    assert_as_fit(model, rows, IDS, sample_weight=weights)
    plain = gradient_norms(model, rows, IDS)
    assert gradient_norms(model, rows, IDS, sample_weight=np.ones(7)) == plain
    assert gradient_norms(model, rows, IDS, sample_weight=weights) != plain


class Pulls(keras.layers.Layer):
    """Adds to the loss itself, as a variational layer does."""

    def call(self, x):
        self.add_loss(tf.reduce_mean(tf.square(x)))
        return x


@pytest.mark.slow
def test_what_layers_add_to_the_loss_counts_and_penalties_do_not(rows):
    def model(penalty, adds):
        set_seed(0)
        h = image = keras.Input((5,))
        h = layers.Dense(4, activation="tanh", name="hidden", kernel_regularizer=penalty)(h)
        h = Pulls()(h) if adds else h
        return Tape(image, layers.Dense(3, "softmax", name="out", kernel_regularizer=penalty)(h))

    loss = "sparse_categorical_crossentropy"
    free = model(None, adds=True)
    given = gradient_norms(free, rows, IDS, loss)
    free.compile("sgd", loss, run_eagerly=True)
    assert gradient_norms(free, rows, IDS) == given
    assert_as_fit(free, rows, IDS)
    assert given[0] != gradient_norms(model(None, adds=False), rows, IDS, loss)[0]
    penalised = model("l2", adds=True)
    assert gradient_norms(penalised, rows, IDS, loss) == given
    penalised.compile("sgd", loss)
    assert gradient_norms(penalised, rows, IDS) == given
    assert all(layer.kernel.regularizer for layer in penalised.layers if hasattr(layer, "kernel"))
    with pytest.raises(Exception, match=r"(?i)shape|incompatible"):
        gradient_norms(penalised, rows[:, :2], IDS)
    assert all(layer.kernel.regularizer for layer in penalised.layers if hasattr(layer, "kernel"))


def test_a_loss_of_the_models_own(rows):
    class Own(Tape):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return tf.reduce_sum(tf.square(y_pred[:, 0]))

    inner = one_output()
    model = Own(inner.input, inner.output)
    model.compile("sgd", run_eagerly=True)
    assert_as_fit(model, rows, IDS)


# ---------------------------------------------------------------- inputs as fit takes them


def two_inputs():
    set_seed(0)
    inputs = {name: keras.Input((size,), name=name) for name, size in (("a", 4), ("b", 3))}
    joined = layers.concatenate(list(inputs.values()))
    outputs = {
        "kind": layers.Dense(3, "softmax", name="kind")(joined),
        "size": layers.Dense(1, name="size")(joined),
    }
    return inputs, outputs


@pytest.mark.parametrize("nest", ["dict", "list"])
@pytest.mark.parametrize("size", [2, 7])
def test_several_inputs_and_outputs(nest, size):
    random = np.random.default_rng(0)
    x = {"a": random.random((size, 4), np.float32), "b": random.random((size, 3), np.float32)}
    y = {"kind": np.arange(size) % 3, "size": random.random((size, 1), np.float32)}
    loss = {"kind": "sparse_categorical_crossentropy", "size": "mse"}
    weights = {"kind": 1.0, "size": 0.3}
    inputs, outputs = two_inputs()
    nests: list[Any] = [x, y, inputs, outputs, loss, weights]
    if nest == "list":
        nests = [list(part.values()) for part in nests]
    x, y, inputs, outputs, loss, weights = nests
    model = Tape(inputs, outputs)
    model.compile("sgd", loss, loss_weights=weights, run_eagerly=True)
    assert_as_fit(model, x, y)
    before = [variable.numpy() for variable in model.metrics_variables]
    gradient_norms(model, x, y)
    assert [variable.numpy() for variable in model.metrics_variables] == before


def test_one_loss_for_several_outputs(rows):
    inner = one_output(units=2, activation=None)
    model = Tape(inner.input, [inner.output, layers.Dense(2, name="more")(inner.output)])
    model.compile("sgd", "mse", run_eagerly=True)
    assert_as_fit(model, rows, [rows[:, :2], rows[:, 1:3]])


class Batches(keras.utils.PyDataset):
    def __init__(self, *batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


def alike(found, right):
    """Whether the norms are the same but for rounding: a compiled pass may add in another order."""
    assert [kernel.layer for kernel in found] == [kernel.layer for kernel in right]
    found, right = ([kernel[1:] for kernel in norms] for norms in (found, right))
    np.testing.assert_allclose(found, right, rtol=1e-6)
    return True


CHANGES = {
    "the rate of a dropout": lambda model: setattr(model.layers[4], "rate", 0.9),
    "an activation": lambda model: setattr(model.layers[2], "activation", keras.ops.relu),
    "a frozen layer": lambda model: setattr(model.layers[0], "trainable", False),
    "another loss": lambda model: model.compile("sgd", "kl_divergence"),
    "the same loss, weighed": lambda model: model.compile("sgd", CROSS_ENTROPY, loss_weights=3.0),
    "other weights": lambda model: model.set_weights([2 * w for w in model.get_weights()]),
}
CROSS_ENTROPY = "categorical_crossentropy"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_compiled_for_a_model_is_not_used_for_another(change):
    random = np.random.default_rng(0)
    x, y = random.standard_normal((6, 5, 5, 2)), np.eye(4)[[0, 1, 2, 3, 0, 1]]

    def probed(before):
        model = small_model()
        model.compile("sgd", CROSS_ENTROPY)
        for _ in range(before):
            gradient_norms(model, x, y)
        change(model)
        return gradient_norms(model, x, y)

    eager, compiled = probed(before=0), probed(before=3)
    unchanged = small_model()
    unchanged.compile("sgd", CROSS_ENTROPY)
    assert alike(compiled, eager)
    assert gradient_norms(unchanged, x, y) != eager


def test_later_batches_run_no_python():
    """Of two sizes, of which each is traced once; the model can still be copied and saved."""
    calls = []

    @keras.saving.register_keras_serializable("tests")
    class Counts(keras.layers.Layer):
        def call(self, x):
            calls.append(x.shape[0])
            return x

    model = keras.Sequential([keras.Input((5,)), Counts(), layers.Dense(3, "softmax")])
    model(np.zeros((1, 5)))
    calls.clear()
    for size in (4, 4, 4, 7, 7, 4):
        gradient_norms(model, np.ones((size, 5)), np.zeros(size))
    assert calls == [4, 4, 7]
    twin = copy.deepcopy(model)
    assert alike(
        gradient_norms(twin, np.ones((4, 5)), np.zeros(4)),
        gradient_norms(model, np.ones((4, 5)), np.zeros(4)),
    )


def test_a_probed_model_is_freed():
    model = one_output()
    for _ in range(3):
        gradient_norms(model, np.ones((7, 5)), IDS)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


def test_batches_of_data_sets(rows):
    model = one_output()
    model.compile("sgd", "sparse_categorical_crossentropy")
    weights = np.arange(7, dtype="float32")
    plain = gradient_norms(model, rows, IDS)
    weighted = gradient_norms(model, rows, IDS, sample_weight=weights)
    for make in (tf.data.Dataset.from_tensors, lambda batch: Batches(*batch)):
        assert alike(gradient_norms(model, make((rows, IDS))), plain)
        assert alike(gradient_norms(model, make((rows, IDS, weights))), weighted)
    batch = next(iter(tf.data.Dataset.from_tensors((rows, IDS))))
    assert alike(gradient_norms(model, *batch), plain)
    assert alike(gradient_norms(model, rows.tolist(), IDS.tolist()), plain)


def test_masks(rows):
    set_seed(0)
    image = keras.Input((6,), dtype="int32")
    hidden = layers.Embedding(9, 4, mask_zero=True, name="words")(image)
    model = Tape(image, layers.Dense(3, "softmax", name="out")(hidden))
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    words = np.random.default_rng(0).integers(0, 9, (7, 6)) * (np.arange(6) < 4)
    labels = np.random.default_rng(1).integers(0, 3, (7, 6))
    assert_as_fit(model, words, labels)
    other = np.where(words == 0, (labels + 1) % 3, labels)  # a masked word's label does not matter
    assert gradient_norms(model, words, other) == gradient_norms(model, words, labels)


# ---------------------------------------------------------------- what no loss was given for


@pytest.mark.slow
def test_an_uncompiled_model_is_told_by_its_last_activation(rows):
    losses = keras.losses
    for units, activation, y, loss in [
        (3, "softmax", IDS, "sparse_categorical_crossentropy"),
        (3, "softmax", np.eye(3)[IDS], "categorical_crossentropy"),
        (1, "sigmoid", IDS % 2, "binary_crossentropy"),
        (3, "sigmoid", np.eye(3)[IDS], losses.BinaryCrossentropy()),
    ]:
        model = one_output(units, activation)
        assert gradient_norms(model, rows, y) == gradient_norms(model, rows, y, loss)


@pytest.mark.parametrize("last", [layers.Softmax(), layers.Activation("softmax")])
def test_softmax_may_be_a_layer(rows, last):
    set_seed(0)
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3), last])
    loss = "sparse_categorical_crossentropy"
    assert gradient_norms(model, rows, IDS) == gradient_norms(model, rows, IDS, loss)


@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
def test_logits_are_not_taken_for_probabilities(rows, activation):
    with pytest.raises(ValueError, match=r"must end in a softmax or sigmoid, or be given a loss"):
        gradient_norms(one_output(activation=activation), rows, IDS)


# ---------------------------------------------------------------- mixed precision


def deep_sigmoids(dtype):
    set_seed(0)
    h = image = keras.Input((8,))
    for _ in range(14):
        h = layers.Dense(16, activation="sigmoid", dtype=dtype)(h)
    return keras.Model(image, layers.Dense(10, "softmax", dtype="float32")(h))


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_float16_keeps_small_gradients(compiled):
    x = np.random.default_rng(0).standard_normal((32, 8)).astype("float32")
    right, found = (
        np.array(
            [
                k.gradient_norm
                for k in gradient_norms(probed(dtype, compiled), x, np.arange(32) % 10)
            ]
        )
        for dtype in ("float32", "mixed_float16")
    )
    assert right[0] < 1e-9
    np.testing.assert_allclose(found, right, rtol=0.05)


def probed(dtype, compiled):
    model = deep_sigmoids(dtype)
    if compiled:
        model.compile(keras.optimizers.SGD(), "sparse_categorical_crossentropy")
        if dtype == "mixed_float16":
            model.optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())
    return model


def test_float16_comes_down_from_a_scale_that_overflows(rows):
    # Gradients of 10 times the scale leave float16's range at 65,504.
    norms = []
    for dtype in ("float32", "mixed_float16"):
        set_seed(0)
        model = keras.Sequential([keras.Input((5,)), layers.Dense(3, dtype=dtype, name="out")])
        norms.append(gradient_norms(model, rows, np.full((7, 3), 1e3), "mse")[0].gradient_norm)
    assert norms[0] > 100
    assert norms[1] == pytest.approx(norms[0], rel=0.01)


# ---------------------------------------------------------------- which kernels, in which order


class Net(keras.Model):
    """Makes its head first, and calls it last."""

    def __init__(self):
        super().__init__()
        self.head = layers.Dense(3, activation="softmax", name="head")
        self.body = [layers.Dense(4, activation="sigmoid", name=f"body{k}") for k in range(3)]

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        return self.head(x)


def test_order_of_use(rows):
    model = Net()
    model(rows)
    found = [kernel.layer for kernel in gradient_norms(model, rows, IDS)]
    assert found == ["body0", "body1", "body2", "head"]


class Linear(keras.layers.Layer):
    """Its weight has no name."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], self.units), initializer="he_normal")
        self.shift = self.add_weight(shape=(self.units,), name="bias")

    def call(self, x):
        return x @ self.w + self.shift


def test_matrices_without_keras_names_and_embeddings_are_kernels():
    set_seed(0)
    parts = [layers.Embedding(9, 4, name="words"), layers.GRU(4), layers.LayerNormalization()]
    model = keras.Sequential(
        [keras.Input((6,), dtype="int32"), *parts, Linear(3), layers.Softmax()]
    )
    words = np.random.default_rng(0).integers(0, 9, (7, 6))
    found = gradient_norms(model, words, IDS)
    names = [kernel.layer for kernel in found]
    assert names[0] == "words"
    assert [name.rpartition("/")[2] for name in names[1:]] == [
        "gru_cell",
        "recurrent_kernel",
        "variable",
    ]
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(IDS, model(words, training=True))
        loss = tf.reduce_mean(losses)
    table = model.layers[0].embeddings
    gradient = tf.convert_to_tensor(tape.gradient(loss, table.value))
    assert found[0].gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)


def test_the_probe_leaves_the_names_that_keras_counts(rows):
    keras.backend.clear_session()
    gradient_norms(one_output(), rows, IDS, "sparse_categorical_crossentropy")
    assert keras.Sequential([keras.Input((2,)), layers.Dense(2)]).name == "sequential"
    assert keras.optimizers.RMSprop().name == "rm_sprop"


def test_a_function_of_tensorflow_is_heard(rows):
    class Traced(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = layers.Dense(3, activation="softmax", name="head")
            self.body = layers.Dense(4, name="body")

        @tf.function
        def call(self, x):
            return self.head(self.body(x))

    model = Traced()
    model(rows)
    model(rows)
    for _ in range(2):
        found = gradient_norms(model, rows, IDS, "sparse_categorical_crossentropy")
        assert [kernel.layer for kernel in found] == ["body", "head"]
        assert all(kernel.gradient_norm > 0 for kernel in found)


def test_an_activation_inside_the_last_layer_is_not_what_it_ends_in(rows):
    model = keras.Sequential([keras.Input((5, 1)), layers.LSTM(1, activation="sigmoid")])
    with pytest.raises(ValueError, match="must end in a softmax or sigmoid, or be given a loss"):
        gradient_norms(model, rows[..., None], IDS % 2)


def test_float16_comes_down_below_one(rows):
    set_seed(0)
    norms = []
    for dtype in ("float32", "mixed_float16"):
        model = keras.Sequential([keras.Input((5,)), layers.Dense(3, dtype=dtype)])
        model.layers[0].kernel.assign(np.full((5, 3), 0.1))
        big = (gradient_norms(model, rows * 1e3, np.zeros((7, 3)), "mse"),)
        norms.append(big[0][0].gradient_norm)
    assert norms[0] > 65504
    assert norms[1] == pytest.approx(norms[0], rel=0.01)


def test_probes_at_once_leave_the_model(rows):
    model = one_output()
    model.layers[1].kernel.regularizer = penalty = keras.regularizers.L2(0.1)
    model.compile("sgd", "sparse_categorical_crossentropy")
    right = gradient_norms(model, rows, IDS)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(gradient_norms(model, rows, IDS)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(alike(each, right) for each in found)
    assert model.layers[1].kernel.regularizer is penalty
    assert not [layer for layer in model.layers if "call" in vars(layer)]


def test_an_output_without_a_loss_or_a_weight(rows):
    inner = one_output(units=2, activation=None)
    model = Tape(inner.input, [inner.output, layers.Dense(2, name="more")(inner.output)])
    weights = np.arange(7, dtype="float32")
    model.compile("sgd", ["mse", "mse"], run_eagerly=True)
    y = [rows[:, :2], rows[:, 1:3]]
    right = gradient_norms(model, rows, y, sample_weight=[weights, np.ones(7)])
    assert gradient_norms(model, rows, y, sample_weight=[weights, None]) == right
    plain = gradient_norms(inner, rows, y[0], "mse")
    found = gradient_norms(model, rows, [y[0], None], ["mse", None])
    assert [k.gradient_norm for k in found] == [*(k.gradient_norm for k in plain), 0]


def test_a_loss_of_the_models_own_without_targets(rows):
    class Own(Tape):
        def compute_loss(self, inputs, targets, outputs, weights, training):
            return tf.reduce_mean(tf.square(outputs - inputs[:, :3]))

    inner = one_output()
    model = Own(inner.input, inner.output)
    model.compile("sgd", "mse", run_eagerly=True)
    found = [kernel.gradient_norm for kernel in gradient_norms(model, rows)]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(inner(rows, training=True) - rows[:, :3]))
    right = tape.gradient(loss, [layer.kernel.value for layer in inner.layers[1:]])
    np.testing.assert_allclose(found, [norm(part) for part in right], rtol=1e-5)


def test_metrics_of_a_model_inside_stay(rows):
    class Counts(keras.Model):
        def __init__(self):
            super().__init__()
            self.seen = keras.metrics.Sum(name="seen")

        def call(self, x):
            self.seen.update_state(tf.reduce_sum(x) * 0 + 1)
            return x

    counts = Counts()
    model = keras.Sequential([keras.Input((5,)), counts, layers.Dense(3, "softmax")])
    before = float(counts.seen.result())
    gradient_norms(model, rows, IDS)
    assert float(counts.seen.result()) == before
