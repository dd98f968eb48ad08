"""On each backend of Keras: ``GradientMonitor`` in ``fit``, against the backend's own gradients."""

import numpy as np
import pytest
from cases import made
from independent import cross_entropy, gradients

from resnet_lesson import GradientMonitor, grouped_norms
from resnet_lesson.backend import NAME, keras, set_seed

pytestmark = pytest.mark.slow

RATE = 0.01


def fitted(*callbacks, name="dense_stack", every=8, **options):
    """The network after two epochs of three and a half batches of eight; and its history."""
    set_seed(0)
    model, x, y = made(name)
    x, y = np.concatenate([x, -x, x, x[:4]]), np.concatenate([y, y, y, y[:4]])
    optimizer = keras.optimizers.SGD(RATE, 0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    history = model.fit(
        x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=list(callbacks)
    )
    return model, history.history


@pytest.mark.parametrize("name", ["dense_stack", "article"])
def test_training_is_the_same_with_and_without(name):
    monitor = GradientMonitor()
    (watched, history), (alone, history_alone) = fitted(monitor, name=name), fitted(name=name)
    assert monitor.records["gradient_norm"].shape[0] == 8
    assert np.isfinite(monitor.records["gradient_norm"]).all()
    if NAME == "tensorflow":  # where the same bits need a switch: tests/gradients/test_monitor.py
        for weight, other in zip(watched.weights, alone.weights, strict=True):
            np.testing.assert_allclose(weight.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)
        return
    assert history == history_alone
    for weight, other in zip(watched.variables, alone.variables, strict=True):
        assert weight.numpy().tobytes() == other.numpy().tobytes()


def test_the_first_step_has_the_norms_of_the_gradient():
    monitor = GradientMonitor(which="all")
    fitted(monitor)
    model, x, y = made("dense_stack")
    own, records = gradients(model, x, cross_entropy(y)), monitor.records
    by_path = {path.removesuffix("/kernel"): values for path, values in own.items()}
    values = dict(zip(by_path, (weight.numpy() for weight in model.trainable_weights), strict=True))
    assert len(records["layers"]) == len(own)
    for column, layer in enumerate(records["layers"]):
        gradient, weight = (found[layer].astype(float) for found in (by_path, values))
        assert records["gradient_norm"][0, column] == pytest.approx(np.linalg.norm(gradient), 1e-5)
        assert records["weight_norm"][0, column] == pytest.approx(np.linalg.norm(weight), 1e-6)
        # The first step of momentum is that of the gradient alone.
        ratio = RATE * np.linalg.norm(gradient) / np.linalg.norm(weight)
        assert records["update_ratio"][0, column] == pytest.approx(ratio, 1e-2)
    total = grouped_norms(records, "total")
    every = np.concatenate([values.ravel() for values in own.values()]).astype(float)
    assert total["gradient_norm"][0, 0] == pytest.approx(np.linalg.norm(every), 1e-5)
    assert total["gradient_norm"].shape == (8, 1)


def test_one_step_in_three():
    every, some = GradientMonitor(), GradientMonitor(every=3)
    fitted(every)
    fitted(some)
    assert every.records["step"].tolist() == list(range(8))
    assert some.records["step"].tolist() == [0, 3, 6]
    for measure in ("gradient_norm", "weight_norm", "update_ratio", "loss"):
        np.testing.assert_allclose(
            some.records[measure], every.records[measure][[0, 3, 6]], rtol=1e-5
        )


def test_several_steps_in_one_execution():
    if NAME == "torch":
        with pytest.raises(ValueError, match="`steps_per_execution` must be 1"):
            fitted(GradientMonitor(), steps_per_execution=2)
        return
    one, several = GradientMonitor(), GradientMonitor()
    fitted(one)
    fitted(several, steps_per_execution=3)
    assert several.records["step"].tolist() == list(range(8))
    np.testing.assert_allclose(
        several.records["gradient_norm"], one.records["gradient_norm"], rtol=1e-5
    )


def test_what_breaks_first_is_named():
    set_seed(0)
    model, x, y = made("dense_stack")
    model.compile(keras.optimizers.SGD(1e30), "sparse_categorical_crossentropy")
    monitor = GradientMonitor()
    model.fit(x, y, batch_size=2, verbose=0, callbacks=[monitor])
    bad = monitor.first_bad
    assert (bad.step, bad.where) == (1, "forward pass")
    assert bad.layer in monitor.records["layers"]
    assert monitor.records["broken"][1] == bad.layer


def test_half_precision_is_divided_by_the_loss_scale():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        monitor = GradientMonitor()
        model, x, y = made("dense_stack")
        model.compile(keras.optimizers.SGD(RATE), "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=8, epochs=8, verbose=0, callbacks=[monitor])
    finally:
        keras.config.set_dtype_policy(before)
    exact, x, y = made("dense_stack")
    own = gradients(exact, x, cross_entropy(y))
    norms = [np.linalg.norm(own[f"{layer}/kernel"]) for layer in monitor.records["layers"]]
    # At first the scaled gradient overflows; such a step leaves the weights and halves the scale.
    found = next(row for row in monitor.records["gradient_norm"] if np.isfinite(row).all())
    np.testing.assert_allclose(found, norms, rtol=0.1)


def test_records_are_read_while_a_fit_goes_on():
    monitor, seen = GradientMonitor(), []
    reads = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(len(monitor.records["step"]))
    )
    fitted(monitor, reads)
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]
    assert monitor.steps == 8


def test_a_step_of_ones_own_is_recorded_or_refused():
    class Twice(keras.Model):
        def train_step(self, *arguments):
            super().train_step(*arguments)
            return super().train_step(*arguments)

    image = keras.Input((4,))
    model = Twice(image, keras.layers.Dense(2)(image))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"exactly once, received 2 calls"):
        model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0, callbacks=[GradientMonitor()])


def test_a_loop_in_a_layer_is_looked_at_from_outside():
    set_seed(0)
    model = keras.Sequential(
        [keras.Input((5, 3)), keras.layers.LSTM(4, name="loop"), keras.layers.Dense(2)]
    )
    model.compile(keras.optimizers.SGD(1e30), "mse")
    monitor = GradientMonitor()
    x = np.random.default_rng(0).standard_normal((8, 5, 3))
    model.fit(x, np.full((8, 2), 1e10), batch_size=2, verbose=0, callbacks=[monitor])
    assert set(monitor.records["layers"]) == {
        *("loop/lstm_cell", "loop/lstm_cell/recurrent_kernel", "dense"),
    }
    assert monitor.first_bad is not None


class Backwards(keras.Model):
    """Uses its layers in the other order than it holds them."""

    def __init__(self):
        super().__init__()
        self.last = keras.layers.Dense(4, name="last")
        self.middle = keras.layers.Dense(8, "relu", name="middle")
        self.first = keras.layers.Dense(8, "tanh", name="first")

    def call(self, x):
        return self.last(self.middle(self.first(x)))


def test_the_broken_layer_is_named_whatever_the_order_in_which_the_model_holds_it():
    model, x = Backwards(), np.ones((32, 8), np.float32)
    model.compile("sgd", "mse")

    class Breaks(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                kernel = self.model.last.kernel
                kernel.assign(np.full(kernel.shape, np.nan, np.float32))

    monitor = GradientMonitor()
    model.fit(x, x[:, :4], batch_size=8, verbose=0, callbacks=[monitor, Breaks()])
    bad = monitor.first_bad
    assert (bad.layer.split("/")[-1], bad.step, bad.where) == ("last", 2, "forward pass")
