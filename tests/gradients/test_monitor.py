"""The monitor: right by an explicit tape and by snapshots, and training exactly as without it."""

import copy
import csv
import pickle
import subprocess
import sys
import textwrap
import threading

import matplotlib.pyplot as plt
import numpy as np
import pytest

from resnet_lesson import GradientMonitor, gradient_norms
from resnet_lesson.gradients.first_bad import FirstBad
from resnet_lesson.gradients.kernels import trainable_kernels
from resnet_lesson.gradients.norms import norm, tensor_norm
from resnet_lesson.gradients.tape import CAPACITY
from resnet_lesson.runtime import keras, set_seed, tf

pytestmark = pytest.mark.slow

layers, optimizers = keras.layers, keras.optimizers
MEASURES = ("gradient_norm", "weight_norm", "update_ratio")
BATCH, STEPS = 8, 6


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    x = random.standard_normal((BATCH * STEPS, 6, 6, 2)).astype("float32")
    return x, random.integers(0, 4, BATCH * STEPS)


def functional(penalty=None):
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(3, 3, name="first", kernel_regularizer=penalty),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(2, name="depthwise", activation="tanh"),
            layers.Flatten(),
            layers.Dense(4, name="last", kernel_regularizer=penalty),
            layers.Activation("softmax", dtype="float32"),
        ]
    )


def mixed():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return functional()
    finally:
        keras.config.set_dtype_policy(policy)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = [layers.Conv2D(3, 3, activation="relu"), layers.Flatten()]
        self.head = layers.Dense(4, activation="softmax")

    def call(self, x):
        for layer in self.inner:
            x = layer(x)
        return self.head(x)


class Snapshots(keras.callbacks.Callback):
    """An independent record: an explicit tape before each step, the kernels before and after."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.batch = x, y, 0
        self.rows = []

    def on_train_batch_begin(self, batch, logs=None):
        model, part = self.model, slice(self.batch * BATCH, (self.batch + 1) * BATCH)
        kept = [tf.identity(v.value) for v in model.variables]
        with tf.GradientTape() as tape:
            prediction = model(self.x[part], training=True)
            loss = keras.losses.sparse_categorical_crossentropy(self.y[part], prediction)
            loss = tf.reduce_mean(loss) + sum(model.losses)
            scaled = model.optimizer.scale_loss(loss)
        scale = float(model.optimizer.scale_loss(1.0))
        kernels = trainable_kernels(model)
        gradients = tape.gradient(scaled, [kernel.value for kernel in kernels])
        self.gradient = [norm(gradient) / scale for gradient in gradients]
        for variable, value in zip(model.variables, kept, strict=True):
            variable.assign(value)
        self.before = [kernel.numpy().astype(float) for kernel in kernels]

    def on_train_batch_end(self, batch, logs=None):
        weight = [norm(value) for value in self.before]
        pairs = zip(trainable_kernels(self.model), self.before, strict=True)
        change = [norm(kernel.numpy().astype(float) - before) for kernel, before in pairs]
        self.rows.append((self.gradient, weight, np.divide(change, weight)))
        self.batch += 1

    def measure(self, name):
        return np.array([row[MEASURES.index(name)] for row in self.rows])


def fit(model, data, *callbacks, epochs=1, **options):
    """One pass in order; ``options`` go to ``compile`` where there are any."""
    if options or not model.compiled:
        options = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **options}
        model.compile(**options)
    x, y = data
    return model.fit(
        x, y, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks
    )


def sgd(**options):
    return optimizers.SGD(0.1, momentum=0.9, **options)


CASES = {
    "functional": (functional, {"optimizer": sgd}),
    "subclassed": (Subclassed, {"optimizer": sgd}),
    "regularised": (lambda: functional("l2"), {"optimizer": sgd}),
    "eager": (functional, {"optimizer": sgd, "run_eagerly": True}),
    "jit_compile": (functional, {"optimizer": sgd, "jit_compile": True}),
    "adam": (functional, {"optimizer": optimizers.Adam}),
    "adamw": (functional, {"optimizer": lambda: optimizers.AdamW(0.01, weight_decay=0.1)}),
    "clipped": (functional, {"optimizer": lambda: sgd(global_clipnorm=1e-3)}),
    "fixed loss scale": (functional, {"optimizer": lambda: sgd(loss_scale_factor=64.0)}),
    "accumulation": (functional, {"optimizer": lambda: sgd(gradient_accumulation_steps=3)}),
    "averaged": (functional, {"optimizer": lambda: sgd(use_ema=True, ema_overwrite_frequency=2)}),
}


def compare(monitor, snapshots, rtol):
    records = monitor.records
    for measure in MEASURES:
        assert records[measure].shape == (STEPS, len(records["layers"]))
        np.testing.assert_allclose(
            records[measure], snapshots.measure(measure), rtol=rtol, atol=0, err_msg=measure
        )
    assert list(records["step"]) == list(range(STEPS))


def record(make, options, data):
    set_seed(0)
    model, monitor, snapshots = make(), GradientMonitor(), Snapshots(*data)
    model(data[0][:1])
    options = {**options, "optimizer": options["optimizer"]()}
    fit(model, data, monitor, snapshots, **options)
    return monitor, snapshots


@pytest.mark.parametrize(("make", "options"), CASES.values(), ids=CASES)
def test_equals_an_explicit_tape_and_snapshots(make, options, data):
    monitor, snapshots = record(make, options, data)
    compare(monitor, snapshots, rtol=1e-4)


def test_mixed_precision_takes_the_loss_scale_out(data):
    monitor, snapshots = record(mixed, {"optimizer": sgd}, data)
    assert monitor.model.get_layer("first").compute_dtype == "float16"
    assert float(monitor.model.optimizer.scale_loss(1.0)) == 2**15
    compare(monitor, snapshots, rtol=2e-2)  # half precision rounds to 1e-3


def test_a_wrong_monitor_would_be_seen(data, monkeypatch):
    monkeypatch.setattr(
        "resnet_lesson.gradients.tape.tensor_norm", lambda values: 1.001 * tensor_norm(values)
    )
    monitor, snapshots = record(functional, {"optimizer": sgd}, data)
    with pytest.raises(AssertionError, match="gradient_norm"):
        compare(monitor, snapshots, rtol=1e-4)


def test_the_ratio_is_zero_where_weights_are_not_applied(data):
    monitor = GradientMonitor()
    fit(functional(), data, monitor, optimizer=sgd(gradient_accumulation_steps=3))
    still = (monitor.records["update_ratio"] == 0).all(axis=1)
    assert list(still) == [True, True, False, True, True, False]


APPLICATIONS = {"MobileNetV2": 52, "ResNet50V2": 54}  # kernels: convolutions and one dense layer


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_layer_of_a_published_network_has_its_kernel(name):
    """They are trained under the monitor in tests/backends/test_published_networks.py."""
    model = getattr(keras.applications, name)(weights=None, input_shape=(32, 32, 3), classes=4)
    depthwise = sum(isinstance(layer, layers.DepthwiseConv2D) for layer in model.layers)
    plain = sum(type(layer) in (layers.Conv2D, layers.Dense) for layer in model.layers)
    assert depthwise + plain == len(trainable_kernels(model))
    assert depthwise + plain >= APPLICATIONS[name]


def python(code):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_weights_are_the_same_bit_for_bit():
    # A control dependency on the update would change them from the first steps on.
    out = python("""
        import numpy as np
        from resnet_lesson import GradientMonitor, build_cifar
        from resnet_lesson.runtime import keras, set_seed, tf

        tf.config.experimental.enable_op_determinism()
        random = np.random.default_rng(0)
        x = random.standard_normal((400, 16, 16, 3)).astype("float32")
        y = random.integers(0, 10, 400)

        def train(optimizer, *callbacks, **options):
            set_seed(1)
            model = build_cifar(6, stages=2, input_shape=(16, 16, 3))
            model.compile(optimizer(), "sparse_categorical_crossentropy", **options)
            model.fit(x, y, batch_size=8, verbose=0, callbacks=callbacks)
            kept = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
            return [variable.numpy().tobytes() for variable in kept]

        def disturbed():
            # What the monitor must not do, so that this test is known to see it.
            optimizer = momentum()
            apply = optimizer.apply

            def late(grads, variables):
                grads, variables = list(grads), list(variables)
                with tf.control_dependencies([tf.norm(v.value) for v in variables]):
                    apply(grads, variables)

            optimizer.apply = late
            return optimizer

        momentum = lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
        adamw = lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1)
        accumulating = lambda: keras.optimizers.Adam(gradient_accumulation_steps=4)
        alone = {}
        for optimizer, every in ((momentum, 1), (adamw, 3), (accumulating, 1)):
            monitor, alone[optimizer] = GradientMonitor(every), train(optimizer)
            print(alone[optimizer] == train(optimizer, monitor), len(monitor.records["step"]))
        print(alone[momentum] == train(disturbed))
    """)
    assert out.splitlines() == ["True 50", "True 17", "True 50", "False"]


@pytest.mark.parametrize(
    ("make", "jit_compile", "tolerance"),
    [(functional, True, 1e-5), (mixed, False, 1e-3)],
    ids=["jit_compile", "mixed precision"],
)
def test_the_weights_are_the_same_within_rounding(make, jit_compile, tolerance, data):
    kernels = []
    for callbacks in ([], [GradientMonitor()]):
        set_seed(0)
        model = make()
        fit(model, data, *callbacks, optimizer=sgd(), jit_compile=jit_compile)
        assert model.jit_compile is jit_compile
        kernels.append([kernel.numpy() for kernel in trainable_kernels(model)])
    for plain, monitored in zip(*kernels, strict=True):
        assert norm(plain - monitored) <= tolerance * norm(plain)


def test_a_strategy_of_two_devices():
    out = python("""
        import numpy as np
        from resnet_lesson.runtime import keras, set_seed, tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
        from resnet_lesson import GradientMonitor
        from resnet_lesson.gradients.kernels import trainable_kernels
        from resnet_lesson.gradients.norms import norm

        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        assert strategy.num_replicas_in_sync == 2
        random = np.random.default_rng(0)
        x, y = random.standard_normal((48, 5)).astype("float32"), random.integers(0, 3, 48)
        layers = keras.layers

        def make(**options):
            set_seed(0)
            with strategy.scope():
                model = keras.Sequential([
                    keras.Input((5,)),
                    layers.Dense(7, kernel_regularizer="l2"), layers.BatchNormalization(),
                    layers.ReLU(), layers.Dense(3, activation="softmax"),
                ])
                optimizer = keras.optimizers.SGD(0.5, momentum=0.9, **options)
                model.compile(optimizer, "sparse_categorical_crossentropy")
            return model

        def explicit(model, x, y):
            def step(x, y):
                with tf.GradientTape() as tape:
                    losses = keras.losses.sparse_categorical_crossentropy(
                        y, model(x, training=True))
                    loss = tf.reduce_sum(losses) / 8 + sum(model.losses) / 2
                gradients = tape.gradient(loss, [k.value for k in trainable_kernels(model)])
                context = tf.distribute.get_replica_context()
                return context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)

            def shards(values):
                return strategy.experimental_distribute_values_from_function(
                    lambda context: tf.constant(np.split(values, 2)[
                        context.replica_id_in_sync_group]))

            reduced = tf.function(strategy.run)(step, args=(shards(x), shards(y)))
            return [norm(strategy.experimental_local_results(g)[0]) for g in reduced]

        for options, every in (({}, 1), ({"clipnorm": 1e-3}, 2)):
            model, monitor = make(**options), GradientMonitor(every)
            rows, steps = [], []

            class Snapshots(keras.callbacks.Callback):
                def on_train_batch_begin(self, batch, logs=None):
                    part = slice(batch * 8, batch * 8 + 8)
                    kept = [v.numpy() for v in model.variables]
                    gradient = explicit(model, x[part], y[part])
                    for variable, value in zip(model.variables, kept):
                        variable.assign(value)
                    self.before = [k.numpy() for k in trainable_kernels(model)]
                    weight = [norm(k) for k in self.before]
                    rows.append([gradient, weight])

                def on_train_batch_end(self, batch, logs=None):
                    rows[-1].append([norm(k.numpy().astype(float) - b) / norm(b)
                                     for k, b in zip(trainable_kernels(model), self.before)])

            model.fit(x, y, batch_size=8, shuffle=False, verbose=0,
                      callbacks=[monitor, Snapshots()])
            records, rows = monitor.records, np.array(rows)[::every]
            for index, name in enumerate(("gradient_norm", "weight_norm", "update_ratio")):
                np.testing.assert_allclose(records[name], rows[:, index], rtol=1e-4)
            monitored = [v.numpy() for v in model.variables]
            plain = make(**options)
            plain.fit(x, y, batch_size=8, shuffle=False, verbose=0)
            for one, other in zip(monitored, plain.variables):
                np.testing.assert_allclose(one, other.numpy(), rtol=1e-5, atol=1e-6)
            print(options, every, "agrees")
    """)
    assert out.count("agrees") == 2


@pytest.fixture(scope="module")
def plain(data):
    """The records of two epochs, each step alone."""
    set_seed(0)
    monitor = GradientMonitor()
    fit(functional(), data, monitor, epochs=2, optimizer=sgd())
    return monitor.records


@pytest.mark.parametrize("execution", [1, 4], ids="steps_per_execution={}".format)
@pytest.mark.parametrize("every", [1, 4], ids="every={}".format)
def test_every_and_several_steps_an_execution(every, execution, data, plain):
    monitor = GradientMonitor(every)
    set_seed(0)
    options = {"optimizer": sgd(), "steps_per_execution": execution}
    fit(functional(), data, monitor, epochs=2, **options)
    assert list(monitor.records["step"]) == list(range(0, 2 * STEPS, every))
    for measure in MEASURES:
        np.testing.assert_allclose(monitor.records[measure], plain[measure][::every], rtol=1e-4)


@pytest.mark.parametrize("execution", [1, 4], ids="steps_per_execution={}".format)
def test_data_that_end_by_surprise_add_no_step(execution, data):
    batches = tf.data.Dataset.from_tensor_slices(data).batch(BATCH)
    unknown = batches.filter(lambda x, y: True)  # of how many, tf.data does not say
    monitor, model = GradientMonitor(), functional()
    loss = "sparse_categorical_crossentropy"
    model.compile(sgd(), loss, steps_per_execution=execution)
    for fits in (1, 2):
        model.fit(unknown, verbose=0, callbacks=[monitor])
        assert list(monitor.records["step"]) == list(range(fits * STEPS))
        assert (monitor.records["gradient_norm"] > 0).all()


def test_more_steps_than_the_device_holds(data, monkeypatch):
    monkeypatch.setattr("resnet_lesson.gradients.tape.CAPACITY", 4)
    set_seed(0)
    small = GradientMonitor(2)
    fit(functional(), data, small, epochs=3, optimizer=sgd())
    monkeypatch.undo()
    set_seed(0)
    whole = GradientMonitor(2)
    fit(functional(), data, whole, epochs=3, optimizer=sgd())
    for name, values in whole.records.items():
        np.testing.assert_array_equal(small.records[name], values)


def untouched(model):
    return "apply" not in vars(model.optimizer) and "train_step" not in vars(model)


def test_a_second_fit_appends_and_the_model_is_left_clean(data):
    set_seed(0)
    model = functional()
    fit(model, data, optimizer=sgd())  # fitted once, its function traced
    optimizer, function = model.optimizer, model.train_function
    variables = [id(v) for v in (*model.variables, *optimizer.variables)]
    monitor = GradientMonitor()
    for fits in (1, 2):
        fit(model, data, monitor)
        assert list(monitor.records["step"]) == list(range(fits * STEPS))
        assert model.optimizer is optimizer
        assert model.train_function is function
        assert untouched(model)
    assert [id(v) for v in (*model.variables, *optimizer.variables)] == variables
    fit(model, data)
    assert len(monitor.records["step"]) == 2 * STEPS
    fit(model, data, monitor, optimizer=optimizers.Adam())  # compiled anew
    assert list(monitor.records["step"]) == list(range(3 * STEPS))
    assert (monitor.records["weight_norm"] > 0).all()


def test_records_can_be_read_while_training_goes_on(data):
    seen, monitor = [], GradientMonitor()
    reader = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(len(monitor.records["step"]))
    )
    fit(functional(), data, monitor, reader)
    assert seen == list(range(1, STEPS + 1))


def test_what_is_drained_is_forgotten(data):
    drained = []

    class Drains(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch in (1, 2):
                drained.append(monitor.drain())

    whole, monitor = GradientMonitor(), GradientMonitor()
    for callbacks in ([whole], [monitor, Drains()]):
        set_seed(0)
        fit(functional(), data, *callbacks, epochs=2, optimizer=sgd())
    whole = whole.records
    drained.append(monitor.drain())
    assert [len(part["step"]) for part in drained] == [2, 1, STEPS - 1, 1, STEPS - 3]
    for name in ("step", *MEASURES):
        np.testing.assert_array_equal(np.concatenate([part[name] for part in drained]), whole[name])
    assert len(monitor.records["step"]) == 0
    assert list(monitor.records["layers"]) == list(whole["layers"])


@pytest.mark.parametrize("where", ["in the step", "in another callback"])
def test_a_fit_that_raises_leaves_the_model_clean(where, data):
    class Fails(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("broken")

    model, monitor = functional(), GradientMonitor()
    fit(model, data, optimizer=sgd())
    if where == "in the step":
        with pytest.raises(Exception, match=r"(?i)incompatible"):
            fit(model, (data[0][..., :1], data[1]), monitor)
    else:
        with pytest.raises(RuntimeError, match="broken"):
            fit(model, data, monitor, Fails())
    recorded = len(monitor.records["step"])
    assert untouched(model)
    fit(model, data)
    assert len(monitor.records["step"]) == recorded
    assert not hasattr(model.train_function, "monitor")
    fit(model, data, monitor)
    assert list(monitor.records["step"]) == list(range(recorded + STEPS))
    other = GradientMonitor()
    with pytest.raises(RuntimeError, match="broken"):
        fit(model, data, monitor, Fails())
    fit(model, data, other)
    assert len(other.records["step"]) == STEPS
    assert untouched(model)


def test_goes_on_where_another_callback_makes_the_function_anew(data):
    class Renews(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.make_train_function(force=True)

    model, monitor = functional(), GradientMonitor()
    fit(model, data, monitor, Renews(), epochs=2)
    assert list(monitor.records["step"]) == list(range(2 * STEPS))


def test_names_where_numbers_first_were_bad(data):
    x, y = data[0].copy(), data[1]
    monitor = GradientMonitor()
    assert monitor.first_bad is None
    fit(functional(), (x, y), monitor)
    assert monitor.first_bad is None
    assert "6 steps of 3 kernels, all finite" in repr(monitor)
    x[3 * BATCH] = np.nan
    monitor = GradientMonitor()
    fit(functional(), (x, y), monitor)
    assert monitor.first_bad == FirstBad("first", 3, "NaN", "forward pass")
    assert "NaN in the forward pass, first in 'first', at step 3" in repr(monitor)
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, name="only", use_bias=False)])
    monitor = GradientMonitor()
    model.compile(optimizers.SGD(0.0), "mse")
    ones = np.ones((3, 1), "float32")
    model.fit(
        ones * [[1], [1e38], [1]],
        ones * [[1], [-3e38], [1]],
        batch_size=1,
        shuffle=False,
        verbose=0,
        callbacks=[monitor],
    )
    # Weight and output are finite, the square of the difference is not.
    assert monitor.first_bad == FirstBad("loss", 1, "infinite", "forward pass")


@pytest.mark.parametrize("value", [1e-30, 1e30], ids="{:g}".format)
def test_norms_keep_to_the_range_of_their_entries(value):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, use_bias=False)])
    monitor = GradientMonitor()
    model.compile(optimizers.SGD(0.0), lambda y, prediction: prediction)
    x = np.full((1, 4), value, "float32")
    model.fit(x, np.zeros((1, 1)), verbose=0, callbacks=[monitor])
    assert monitor.records["gradient_norm"][0, 0] == pytest.approx(2 * value, rel=1e-6, abs=0)


VALUES = {
    "small": [3e-30, 4e-30],
    "large": [3e300, 4e300],
    "zero": [0, 0],
    "infinite": [np.inf, 1],
    "NaN": [np.nan, 1],
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_the_norm_is_that_of_the_probe(values):
    found = float(tensor_norm(tf.constant(values, tf.float64)))
    assert found == pytest.approx(norm(values), rel=1e-12, abs=0, nan_ok=True)


class TwoOptimizers(keras.Model):
    """As in adversarial training: a step of its own, with one optimizer more."""

    def __init__(self, further):
        super().__init__()
        self.head = layers.Dense(4)
        self.generator_optimizer = further

    def call(self, x):
        return self.head(x)

    def train_step(self, data):
        return super().train_step(data)


class Applies(TwoOptimizers):
    """Calls ``apply`` as often as it is told."""

    def __init__(self, times):
        super().__init__(None)
        self.times = times

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x) - tf.cast(y[:, None], "float32")))
        gradients = tape.gradient(loss, self.trainable_weights)
        for _ in range(self.times):
            self.optimizer.apply(gradients, self.trainable_weights)
        return {"loss": loss}


def test_a_custom_step_with_one_optimizer_is_served():
    model, monitor = Applies(1), GradientMonitor()
    fit(model, (np.ones((8, 3)), np.ones(8)), monitor, loss="mse")
    assert monitor.records["gradient_norm"].shape == (1, 1)


@pytest.mark.parametrize("times", [0, 2])
def test_a_step_that_does_not_apply_once_is_refused(times):
    model = Applies(times)
    x = np.ones((8, 3))
    model(x)
    before = [v.numpy().tobytes() for v in model.variables]
    with pytest.raises(ValueError, match=f"exactly once, received {times} calls"):
        fit(model, (x, np.ones(8)), GradientMonitor(), loss="mse")
    assert [v.numpy().tobytes() for v in model.variables] == before
    assert untouched(model)


@pytest.mark.parametrize("options", [{}, {"run_eagerly": True}, {"jit_compile": True}], ids=str)
def test_a_model_that_fit_builds_is_recorded_from_its_first_step(options, data):
    records = []
    for built in (True, False):
        set_seed(0)
        model, monitor = Subclassed(), GradientMonitor()
        if built:
            model(data[0][:1])
        fit(model, data, monitor, optimizer=sgd(), **options)
        fit(model, data, monitor)
        records.append(monitor.records)
    assert list(records[1]["layers"]) == list(records[0]["layers"])
    for measure in MEASURES:
        assert records[1][measure].shape == (2 * STEPS, 2)
        np.testing.assert_allclose(records[1][measure], records[0][measure], rtol=1e-4)


@pytest.mark.parametrize("every", [0, -1, 1.0, True, None, "2"])
def test_refuses_every(every):
    with pytest.raises(ValueError, match=f"every must be a positive integer, received {every!r}"):
        GradientMonitor(every)


def test_refusals(data):
    flat = data[0][:, 0, 0, :], data[1]
    for further in (sgd(), [sgd()]):
        with pytest.raises(ValueError, match=r"further optimizers: generator_optimizer$"):
            fit(TwoOptimizers(further), flat, GradientMonitor(), loss="mse")
    kernelless = keras.Sequential([keras.Input((2,)), layers.BatchNormalization()])
    with pytest.raises(ValueError, match="trainable kernel"):
        fit(kernelless, flat, GradientMonitor(), loss="mse")
    uncompiled = GradientMonitor()
    uncompiled.set_model(functional())
    with pytest.raises(ValueError, match="must be compiled"):
        uncompiled.on_train_begin()
    model, monitor = functional(), GradientMonitor()
    with pytest.raises(ValueError, match="one GradientMonitor"):
        fit(model, data, monitor, GradientMonitor())
    fit(model, data, monitor)
    with pytest.raises(ValueError, match="follows one model"):
        fit(functional(), data, monitor)


def test_layers_of_one_name_in_nested_models_are_told_apart(data):
    x = keras.Input((6, 6, 2))
    branches = [
        keras.Sequential([keras.Input((6, 6, 2)), layers.Flatten(), layers.Dense(4, name="d")])
        for _ in range(2)
    ]
    model = keras.Model(x, layers.Softmax()(layers.Add()([branch(x) for branch in branches])))
    monitor = GradientMonitor()
    fit(model, data, monitor)
    assert len(set(monitor.records["layers"])) == 2


def test_csv_is_tidy_and_whole(data, tmp_path, monkeypatch):
    monitor, path = GradientMonitor(), tmp_path / "norms.csv"
    fit(functional(), data, monitor)
    monitor.to_csv(path)
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    records = monitor.records
    assert list(rows[0]) == ["step", "layer", *MEASURES]
    assert [(row["step"], row["layer"]) for row in rows] == [
        (str(step), layer) for step in records["step"] for layer in records["layers"]
    ]
    for measure in MEASURES:
        assert [float(row[measure]) for row in rows] == list(records[measure].ravel())
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        monitor.to_csv(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_plot(data):
    monitor = GradientMonitor()
    with pytest.raises(ValueError, match="at least 1 recorded step"):
        monitor.plot()
    assert {name: values.size for name, values in monitor.records.items()} == dict.fromkeys(
        (*MEASURES, "step", "loss", "broken", "layers"), 0
    )
    fit(functional(), data, monitor, optimizer=sgd(gradient_accumulation_steps=3))
    with pytest.raises(ValueError, match="received 'loss'"):
        monitor.plot(measure="loss")
    ax = monitor.plot(measure="update_ratio")
    assert [label.get_text() for label in ax.get_yticklabels()] == list(monitor.records["layers"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["exactly 0"]
    _, given = plt.subplots()
    assert monitor.plot(given) is given
    plt.close("all")


# ---------------------------------------------------------------- where NaN began


class Breaks(keras.layers.Layer):
    """Hands its input on; its gradient is no number, as the root's slope at zero is infinite."""

    def call(self, x):
        return x + tf.sqrt(tf.reduce_sum(tf.square(x - x), -1, keepdims=True))


def chain(*middle, **options):
    set_seed(0)
    lower = [layers.Dense(8, activation="relu", name=f"low{k}") for k in range(3)]
    upper = [layers.Dense(8, activation="tanh", name=f"high{k}") for k in range(2)]
    out = layers.Dense(4, activation="softmax", name="out")
    model = keras.Sequential([keras.Input((2,)), *lower, *middle, *upper, out])
    model.compile(optimizers.SGD(options.pop("rate", 0.1)), LOSS, **options)
    return model


LOSS = "sparse_categorical_crossentropy"
RUNS = {"graph": {}, "eager": {"run_eagerly": True}, "jit": {"jit_compile": True}}


def points(data):
    return data[0][:, 0, 0, :], data[1]


@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
def test_a_bad_gradient_is_that_nearest_the_loss(options, data):
    monitor = GradientMonitor()
    fit(chain(Breaks(), **options), points(data), monitor)
    gradients = monitor.records["gradient_norm"][0]
    assert list(np.isnan(gradients)) == [True] * 3 + [False] * 3
    assert np.isfinite(monitor.records["loss"][0])
    assert monitor.first_bad == FirstBad("low2", 0, "NaN", "gradient")


class Overflows(keras.layers.Layer):
    def call(self, x):
        return x * 1e38 * 1e38


@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
def test_a_broken_forward_pass_is_told_by_the_first_output(options, data):
    monitor = GradientMonitor()
    fit(chain(Overflows(), **options), points(data), monitor)
    # All gradients are bad, and no weight is.
    assert not np.isfinite(monitor.records["gradient_norm"][0]).any()
    assert monitor.first_bad[:2] == ("high0", 0)
    assert monitor.first_bad.where == "forward pass"


def test_a_weight_that_is_no_number_is_the_first(data):
    model, monitor = chain(), GradientMonitor()
    kernel = model.get_layer("low1").kernel
    kernel.assign(kernel.numpy() * [[np.inf]] + [[np.nan]])
    fit(model, points(data), monitor)
    # TensorFlow's ReLU makes zeros of NaN: the loss is finite, and the gradient below is bad.
    assert np.isfinite(monitor.records["loss"][0])
    assert np.isnan(monitor.records["gradient_norm"][0, 0])
    assert monitor.first_bad == FirstBad("low1", 0, "NaN", "forward pass")


def test_a_rate_far_too_large(data):
    model, monitor = chain(rate=1e30), GradientMonitor()
    first = model.get_layer("low0")
    fit(model, points(data), monitor)
    assert monitor.first_bad.where == "forward pass"
    assert monitor.first_bad.step >= 1
    step = monitor.first_bad.step
    assert np.isfinite(monitor.records["loss"][:step]).all()
    assert not np.isfinite(monitor.records["loss"][step])
    assert first.name in monitor.records["layers"]


def test_what_broke_in_one_replica_only():
    out = python("""
        import numpy as np
        from resnet_lesson.runtime import keras, set_seed, tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
        from resnet_lesson import GradientMonitor

        with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
            names = ("low", "middle", "high")
            parts = [keras.layers.Dense(4, name=name) for name in names]
            model = keras.Sequential([keras.Input((5,)), *parts])
            model.compile("sgd", "mse")
        x, y = np.ones((16, 5), "float32"), np.zeros((16, 4), "float32")
        x[-1] = np.nan  # the second replica's, in the second step
        monitor = GradientMonitor()
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0, callbacks=[monitor])
        print(*monitor.first_bad, np.isfinite(monitor.records["loss"]))
    """)
    assert out.split("\n")[0] == "low 1 NaN forward pass [ True False]"


def test_an_embedding_is_watched():
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(50, 8, embeddings_initializer="zeros", name="embedding"),
            layers.Lambda(lambda t: tf.sqrt(tf.reduce_sum(t * t, -1))),
            layers.Dense(4, activation="softmax", name="out"),
        ]
    )
    model.compile("sgd", LOSS)
    monitor = GradientMonitor()
    words = np.random.default_rng(0).integers(0, 50, (16, 6))
    model.fit(words, np.arange(16) % 4, verbose=0, callbacks=[monitor])
    assert monitor.first_bad == FirstBad("embedding", 0, "NaN", "gradient")


def test_the_loss_is_the_one_of_each_step(data):
    class Losses(keras.callbacks.Callback):
        """The mean that Keras shows, taken apart."""

        def on_train_batch_end(self, batch, logs=None):
            told.append((batch + 1) * logs["loss"] - sum(told))

    told, monitor = [], GradientMonitor()
    fit(functional("l2"), data, monitor, Losses())
    np.testing.assert_allclose(monitor.records["loss"], told, rtol=1e-4)
    assert not monitor.records["broken"].any()


def test_a_step_without_compute_loss_is_told_by_its_gradients(data):
    model, monitor = Applies(1), GradientMonitor()
    x = np.ones((16, 3), "float32")
    x[8:] = np.nan
    fit(model, (x, np.ones(16)), monitor, loss="mse")
    assert np.isnan(monitor.records["loss"]).all()
    assert monitor.first_bad == FirstBad(monitor.records["layers"][0], 1, "NaN", "forward pass")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_behind_which_all_is_finite_is_told(value, data):
    model, monitor = chain(), GradientMonitor()
    kernel = model.get_layer("low1").kernel
    # A ReLU makes zeros of NaN, and of minus infinity; no gradient passes it.
    kernel.assign(np.full(kernel.shape, -abs(value)))
    fit(model, points(data), monitor)
    assert np.isfinite(monitor.records["loss"][0])
    assert monitor.first_bad[:2] == ("low1", 0)
    assert monitor.first_bad.where == "forward pass"


def test_of_a_layer_used_twice_each_use_has_its_place(data):
    image = keras.Input((2,))
    shared = layers.Dense(2, name="shared")
    middle = layers.Dense(2, name="middle", kernel_initializer=keras.initializers.Constant(3e38))
    outputs = layers.Dense(4, "softmax", name="end")(shared(middle(shared(image))))
    model, monitor = keras.Model(image, outputs), GradientMonitor()
    fit(model, points(data), monitor)
    assert list(monitor.records["layers"]) == ["shared", "middle", "end"]
    assert monitor.first_bad[:2] == ("middle", 0)


def test_nothing_seen_is_said(data):
    monitor = GradientMonitor()
    assert repr(monitor) == "<GradientMonitor: no step seen>"
    model = chain()
    callbacks = keras.callbacks.CallbackList([monitor], model=model)
    callbacks.on_train_begin()
    callbacks.on_train_batch_begin(0)
    callbacks.on_train_batch_end(0)
    callbacks.on_train_end()
    assert repr(monitor) == "<GradientMonitor: no step seen>"


# ---------------------------------------------------------------- which kernels, in which order


class Backwards(keras.Model):
    """Makes its head first, and calls it last."""

    def __init__(self):
        super().__init__()
        self.head = layers.Dense(4, activation="softmax", name="head")
        self.body = [layers.Dense(4, activation="tanh", name=f"body{k}") for k in range(2)]

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        return self.head(x)


@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("built", [True, False])
def test_layers_come_in_order_of_use(built, options, data):
    set_seed(0)
    model, monitor = Backwards(), GradientMonitor()
    x, y = points(data)
    if built:
        model(x[:1])
    model.compile(sgd(), LOSS, **options)
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[monitor])
    records = monitor.records
    assert list(records["layers"]) == ["body0", "body1", "head"]
    # The norms are those of the layers they stand under: the last weights tell.
    last = records["weight_norm"][-1] * np.sqrt(1 + records["update_ratio"][-1] ** 2)
    now = [norm(model.get_layer(name).kernel) for name in records["layers"]]
    np.testing.assert_allclose(last, now, rtol=0.1)
    assert len({round(value, 3) for value in now}) == 3


# ---------------------------------------------------------------- after a change


def test_frozen_layers_are_masked_and_history_stays(data, tmp_path):
    model, monitor = functional(), GradientMonitor()
    model.get_layer("first").trainable = False
    fit(model, data, monitor)
    before = monitor.records
    assert list(before["layers"]) == ["depthwise", "last"]
    assert not isinstance(before["gradient_norm"], np.ma.MaskedArray)
    model.get_layer("first").trainable = True
    fit(model, data, monitor, optimizer=sgd())
    records = monitor.records
    assert list(records["layers"]) == ["first", "depthwise", "last"]
    assert list(records["step"]) == list(range(2 * STEPS))
    for measure in MEASURES:
        frozen = np.ma.getmaskarray(records[measure])
        assert (frozen == np.outer(np.arange(2 * STEPS) < STEPS, [True, False, False])).all()
        np.testing.assert_array_equal(records[measure][:STEPS, 1:], before[measure])
    assert (records["gradient_norm"][STEPS:] > 0).all()
    assert monitor.first_bad is None
    monitor.to_csv(tmp_path / "norms.csv")
    with (tmp_path / "norms.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2 * STEPS + 3 * STEPS
    ax = monitor.plot()
    assert "frozen" in [text.get_text() for text in ax.get_legend().get_texts()]
    plt.close(ax.figure)


def test_a_used_monitor_is_copied_and_pickled(data):
    model, monitor = functional(), GradientMonitor()
    fit(model, data, monitor)
    right = monitor.records
    for twin in (copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):
        for name, values in right.items():
            np.testing.assert_array_equal(twin.records[name], values)
        fit(functional(), data, twin)
        assert list(twin.records["step"]) == list(range(2 * STEPS))
        assert list(twin.records["layers"]) == list(right["layers"])
    assert len(monitor.records["step"]) == STEPS
    fit(model, data, monitor)
    assert list(monitor.records["step"]) == list(range(2 * STEPS))


def test_what_a_tuner_trains_copies_of_keeps_their_records(data):
    monitor = GradientMonitor()
    for width in (3, 5):
        callbacks = copy.deepcopy([monitor])
        units = [layers.Flatten(), layers.Dense(width, name="hidden"), layers.Dense(4, "softmax")]
        fit(keras.Sequential([keras.Input((6, 6, 2)), *units]), data, *callbacks)
    assert repr(monitor) == "<GradientMonitor: no step seen; its 2 copies have their own>"
    assert [len(twin.records["step"]) for twin in monitor.copies] == [STEPS, STEPS]
    one, other = (twin.records["weight_norm"][0, 0] for twin in monitor.copies)
    assert one != other


def test_models_of_the_older_keras_are_refused(data):
    """With TF_USE_LEGACY_KERAS, ``tf.keras`` is tf_keras, which gives callbacks its own models."""
    older = type("Sequential", (), {"__module__": "tf_keras.src.engine.sequential"})
    mine = type("Mine", (older,), {"__module__": "__main__"})
    for model, name in ((older(), "Sequential"), (mine(), "Mine")):
        says = f"must be one of Keras 3, received '{name}' of Keras 2: unset TF_USE_LEGACY_KERAS"
        with pytest.raises(TypeError, match=says):
            gradient_norms(model, *data)
        with pytest.raises(TypeError, match=says):
            GradientMonitor().set_model(model)
    with pytest.raises(TypeError, match=r"must be one of Keras 3, received 'int'$"):
        gradient_norms(3, *data)


class Unused(keras.Model):
    """Has a layer that it never calls, and made it first."""

    def __init__(self):
        super().__init__()
        self.aside = layers.Dense(2, name="aside")
        self.head = layers.Dense(4, activation="softmax", name="head")
        self.body = layers.Dense(4, name="body")

    def build(self, shape):
        self.aside.build(shape)
        self.body.build(shape)
        self.head.build((None, 4))
        self.built = True

    def call(self, x):
        return self.head(self.body(x))


def test_a_layer_that_is_not_used_comes_last_and_is_not_blamed(data):
    model, monitor = Unused(), GradientMonitor()
    model.build((None, 2))
    model.head.kernel.assign(np.full((4, 4), 3e38))
    fit(model, points(data), monitor)
    assert list(monitor.records["layers"]) == ["body", "head", "aside"]
    assert monitor.first_bad.layer == "head"


def test_a_layer_used_alone_and_in_a_model_has_the_place_of_its_first_use(data):
    image = keras.Input((2,))
    shared = layers.Dense(2, name="shared")
    hidden = layers.Dense(2, name="middle")(shared(image))
    outputs = layers.Dense(4, "softmax", name="end")(keras.Sequential([shared])(hidden))
    monitor = GradientMonitor()
    fit(keras.Model(image, outputs), points(data), monitor)
    assert list(monitor.records["layers"]) == ["shared", "middle", "end"]


# ---------------------------------------------------------------- functions that TensorFlow keeps


class Traced(keras.Model):
    """Its call and its step are TensorFlow functions of its own."""

    def __init__(self):
        super().__init__()
        self.head = layers.Dense(4, activation="softmax", name="head")
        self.body = layers.Dense(4, name="body")

    @tf.function
    def call(self, x):
        return self.head(self.body(x))

    @tf.function
    def train_step(self, data):
        return super().train_step(data)


@pytest.mark.parametrize("options", [{}, {"run_eagerly": True}], ids=["graph", "eager"])
def test_functions_of_tensorflow_are_traced_anew(options, data):
    set_seed(0)
    model, first, second = Traced(), GradientMonitor(), GradientMonitor()
    x, y = points(data)
    model.build((None, 2))
    model(x[:BATCH])
    fit(model, (x, y), first, optimizer="sgd", **options)
    fit(model, (x, y))
    fit(model, (x, y), first)
    fit(model, (x, y), second)
    assert list(first.records["step"]) == list(range(2 * STEPS))
    assert list(second.records["step"]) == list(range(STEPS))
    for monitor in (first, second):
        assert list(monitor.records["layers"]) == ["body", "head"]


# ---------------------------------------------------------------- threads, copies, what raised


RECORDED = ("gradient_norm", "weight_norm", "update_ratio", "loss", "broken")


@pytest.mark.parametrize("every", [1, 3])
def test_it_may_be_read_while_it_records(every, data):
    model, monitor = chain(), GradientMonitor(every)
    x, y = points(data)
    model.compile("sgd", LOSS)
    epochs = 45  # more steps than the device holds
    options = {"batch_size": BATCH, "epochs": epochs, "verbose": 0, "callbacks": [monitor]}
    thread = threading.Thread(target=lambda: model.fit(x, y, **options))
    thread.start()
    torn, read = [], 0

    def look():
        records = monitor.records
        torn.extend(name for name in RECORDED if len(records[name]) != len(records["step"]))
        return records["step"]

    def look_again():
        while thread.is_alive():
            look()

    other = threading.Thread(target=look_again)
    other.start()
    while thread.is_alive():
        steps = look()
        assert (steps == every * np.arange(len(steps))).all()
        read += 1
    other.join()
    assert read > 10
    assert torn == []
    assert monitor.steps == epochs * STEPS > CAPACITY
    assert len(monitor.records["step"]) == -(-epochs * STEPS // every)


def test_a_shallow_copy_has_records_of_its_own(data):
    model, monitor = functional(), GradientMonitor()
    fit(model, data, monitor)
    twin = copy.copy(monitor)
    fit(functional(), data, twin)
    assert len(monitor.records["step"]) == STEPS
    assert len(twin.records["step"]) == 2 * STEPS
    fit(model, data, monitor)
    assert len(monitor.records["step"]) == 2 * STEPS


class Patient(GradientMonitor):
    def __init__(self, patience, every=1):
        super().__init__(every)
        self.patience = patience


def test_copies_of_a_subclass_keep_what_it_adds(data):
    monitor = Patient(7, every=2)
    fit(functional(), data, monitor)
    for twin in (copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):
        assert (type(twin), twin.patience, twin.every) == (Patient, 7, 2)
        np.testing.assert_array_equal(twin.records["step"], monitor.records["step"])


class Raises(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 3:
            raise RuntimeError("enough")


def test_a_copy_whose_training_raised_keeps_its_records(data):
    monitor = GradientMonitor()
    with pytest.raises(RuntimeError, match="enough"):
        fit(functional(), data, copy.deepcopy(monitor), Raises())
    (twin,) = monitor.copies
    assert list(twin.records["step"]) == [0, 1, 2]


def test_a_fit_that_raised_between_steps_lets_the_next_one_be(data):
    model, monitor = functional(), GradientMonitor()
    with pytest.raises(RuntimeError, match="enough"):
        fit(model, data, monitor, Raises())
    fit(model, data)
    assert list(monitor.records["step"]) == [0, 1, 2]
