"""Full training: the recipe, the batches, what a run leaves, and what stops it."""

import csv
import dataclasses
import json
import re
import resource
import types
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from rich.progress import Progress
from test_training_stops import small

from resnet_lesson import GradientMonitor, build_cifar, load, plots, training
from resnet_lesson.__main__ import main
from resnet_lesson.gradients.history import MEASURES
from resnet_lesson.runtime import keras, tf
from resnet_lesson.training import PRESETS, TrainingConfig, checkpoint, draws
from resnet_lesson.training import model as models
from resnet_lesson.training import run as loop
from resnet_lesson.training.callback import CheckpointCallback
from resnet_lesson.training.config import command
from resnet_lesson.training.pipeline import as_bytes, augment, batches, crops
from resnet_lesson.training.progress import progress
from resnet_lesson.training.record import code_digest

TINY = TrainingConfig(depth=8, epochs=3, batch_size=128, padding=1, flip=False)


def tiny_run(folder, config=TINY, **options):
    return training.train(config, folder, verbose=False, **options)


def stored(folder):
    """The state in this folder."""
    return checkpoint.load(folder)


@pytest.fixture
def quickly(monkeypatch):
    """With a network that is quickly traced, where it matters not which one trains."""
    monkeypatch.setattr(models, "build_cifar", small)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run and its folder; read only."""
    folder = tmp_path_factory.mktemp("run")
    return tiny_run(folder), folder


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("depth", 0, "depth must be a positive integer, received 0"),
        ("epochs", 1.5, "epochs must be a whole number from 1 to 2147483647, received 1.5"),
        ("batch_size", True, "batch_size must be a whole number .*, received True"),
        ("shortcut", 1, "shortcut must be True or False, received 1"),
        ("deterministic", "no", "deterministic must be True or False, received 'no'"),
        ("epochs", 10**20, "epochs must be a whole number from 1 to 2147483647, received 1000000"),
        ("depth", 6 * 10**5 + 2, "depth must be a whole number from 1 to 10000, received 600002"),
        ("depth", 21, "depth must be 6n \\+ 2 with basic modules, n at least 1, received 21"),
        ("dataset", "mnist", "dataset must be one of digits, fashion_mnist, .*, received 'mnist'"),
        ("learning_rate", 1e-50, "above 0, rounded to float32 as well, received 1e-50"),
        ("momentum", 1 - 1e-9, "less than 1, rounded to float32 as well, received 0.99999"),
        ("learning_rate", 0, "learning_rate must be a number above 0, received 0"),
        ("learning_rate", float("nan"), "learning_rate must be a number above 0, received nan"),
        ("momentum", 1, r"momentum must be a number of at least 0 and less than 1, received 1"),
        ("weight_decay", -1e-4, "weight_decay must be a number of at least 0, received -0.0001"),
        ("warmup_epochs", 12, r"less than epochs \(12\), received 12"),
        ("drops", (20, 10), r"drops must be steps that rise, received \(20, 10\)"),
        ("drops", [10], r"drops must be steps that rise, received \[10\]"),
        ("padding", -1, "padding must be a whole number from 0 to 2147483647, received -1"),
        ("seed", None, "seed must be a whole number from 0 to 2147483647, received None"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(field, value, words):
    with pytest.raises(ValueError, match=words):
        TrainingConfig(**{field: value})


def test_each_field_has_a_reason():
    reasons = TrainingConfig().why()
    assert list(reasons) == [item.name for item in dataclasses.fields(TrainingConfig)]
    assert min(map(len, reasons.values())) > 20
    preset: Any = PRESETS["digits"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset.depth = 8


def test_the_papers_schedule():
    config, steps = PRESETS["cifar10-he"], 50_000 // 128
    assert config.epochs * steps == 63_960
    rates = [config.learning_rate_at(step, steps) for step in (389, 31_999, 32_000, 47_999, 48_000)]
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.01, 0.01, 0.001], rtol=1e-5)


def test_the_rate_rises_in_a_line_and_glides_to_zero():
    config, steps = TrainingConfig(epochs=10, learning_rate=0.4, warmup_epochs=2), 5
    rates = [config.learning_rate_at(step, steps) for step in range(51)]
    np.testing.assert_allclose(rates[:10], 0.4 * np.arange(1, 11) / 10, rtol=1e-6)
    cosine = 0.4 * (1 + np.cos(np.pi * np.arange(41) / 40)) / 2
    np.testing.assert_allclose(rates[10:], cosine, atol=1e-7)


def test_the_schedule_comes_back_from_a_saved_model():
    schedule = PRESETS["cifar10-he"].schedule(390)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert float(again(40_000)) == float(schedule(40_000))


def coded(count, size):
    """Images whose pixels say where they came from: 100 times the row plus the column, plus 1."""
    rows, columns = np.mgrid[:size, :size]
    return np.repeat((100 * rows + columns + 1)[None, ..., None], count, 0).astype(np.float32)


def drawn(images, padding, flip, seed):
    """All images, each by its own draw, as an array."""
    count = len(images)
    return np.asarray(
        augment(images, np.arange(count), *crops(seed, count, padding, flip), padding)
    )


def test_each_image_has_its_own_crop_and_flip():
    count, size, padding = 4000, 8, 2
    found = drawn(coded(count, size), padding, True, (3, 4))[..., 0]
    framed = np.pad(coded(1, size)[0, ..., 0], padding, "reflect")
    seen = {}
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            crop = framed[top : top + size, left : left + size]
            for mirrored, expected in [(False, crop), (True, crop[:, ::-1])]:
                seen[top, left, mirrored] = (found == expected).all(axis=(1, 2)).sum()
    # Every image is one of the crops that there can be, and all are equally likely: 80 of each.
    assert sum(seen.values()) == count
    assert min(seen.values()) > 40
    assert max(seen.values()) < 130
    flips = sum(number for (*_, flipped), number in seen.items() if flipped)
    assert abs(flips / count - 0.5) < 0.03


def by_tensorflow(images, labels, config, epoch, step):
    """A batch by TensorFlow's own random numbers, padding and look-ups."""
    order_seed, augment_seed = tf.unstack(tf.random.split([config.seed, 0], 2))
    steps, size = len(images) // config.batch_size, config.batch_size
    shuffle = tf.random.experimental.stateless_shuffle
    order = shuffle(tf.range(len(images)), tf.random.fold_in(order_seed, epoch))
    chosen = order[step * size : (step + 1) * size]
    crop_seed, flip_seed = tf.unstack(
        tf.random.split(tf.random.fold_in(augment_seed, epoch * steps + step), 2)
    )
    uniform, end = tf.random.stateless_uniform, 2 * config.padding + 1
    corners = uniform((2, size, 1), crop_seed, 0, end, tf.int32)
    rows, columns = corners[0] + tf.range(8), corners[1] + tf.range(8)
    if config.flip:
        columns = tf.where(uniform((size, 1), flip_seed) < 0.5, columns[:, ::-1], columns)
    frame = [[0, 0], [config.padding] * 2, [config.padding] * 2, [0, 0]]
    padded = tf.pad(tf.gather(images, chosen), frame, "REFLECT")
    cropped = tf.gather(padded, rows, axis=1, batch_dims=1)
    return tf.gather(cropped, columns, axis=2, batch_dims=1), tf.gather(labels, chosen)


@pytest.mark.parametrize(
    ("seed", "flip", "padding"), [(0, False, 1), (7, True, 3), (2**31 - 1, True, 0)]
)
def test_batches_are_drawn_as_tensorflow_draws(seed, flip, padding):
    digits = load("digits")
    images, labels = digits.x_train[:333], digits.y_train[:333]
    config = dataclasses.replace(
        TINY, seed=seed, flip=flip, padding=padding, batch_size=32, epochs=3, warmup_epochs=0
    )
    found = list(batches(images, labels, config, first_epoch=1))
    assert len(found) == 20
    for number, (x, y) in enumerate(found):
        expected_x, expected_y = by_tensorflow(images, labels, config, *divmod(10 + number, 10))
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y)


def test_philox_gives_its_published_numbers():
    # Of Random123, kat_vectors: counters and keys of zeros, and of ones.
    for word, expected in [
        (0, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (0xFFFFFFFF, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ]:
        counter, key = np.full((1, 4), word, np.uint32), np.full(2, word, np.uint32)
        assert draws.philox(counter, key)[0].tolist() == expected


def test_draws_belong_to_the_seed():
    images = coded(64, 8)
    once, again, other = (drawn(images, 2, True, (3, s)) for s in (1, 1, 2))
    assert (once == again).all()
    assert (once != other).any()


def test_no_more_can_be_mirrored_than_there_is():
    config = dataclasses.replace(TINY, padding=8, batch_size=4)
    with pytest.raises(ValueError, match=r"less than the images' sides \(8, 8\), received 8"):
        batches(coded(4, 8), np.zeros(4, int), config)


def test_no_padding_and_no_flip_leave_the_images():
    images = coded(5, 8)
    assert (drawn(images, 0, False, (0, 0)) == images).all()


def test_an_epoch_visits_each_image_once_in_a_new_order():
    config = TrainingConfig(epochs=2, batch_size=32, padding=0, flip=False, warmup_epochs=0)
    images = np.arange(100, dtype=np.float32).reshape(100, 1, 1, 1)
    labels = np.arange(100)
    found = list(batches(images, labels, config).as_numpy_iterator())
    assert [x.shape for x, _ in found] == [(32, 1, 1, 1)] * 6
    for x, y in found:
        assert (x[:, 0, 0, 0] == y).all()
    orders = [np.concatenate([y for _, y in part]) for part in (found[:3], found[3:])]
    assert [len(set(order)) for order in orders] == [96, 96]
    assert (orders[0] != orders[1]).any()
    assert (orders[0] != np.sort(orders[0])).any()


def test_an_epoch_comes_again_the_same():
    digits, config = load("digits"), dataclasses.replace(TINY, flip=True)
    data = digits.x_train, digits.y_train
    whole = list(batches(*data, config).as_numpy_iterator())
    last = list(batches(*data, config, first_epoch=2).as_numpy_iterator())
    assert len(whole) == 3 * len(last) == 30
    for (x, y), (x_again, y_again) in zip(whole[20:], last, strict=True):
        assert (x == x_again).all()
        assert (y == y_again).all()
    other = batches(*data, dataclasses.replace(config, seed=1)).as_numpy_iterator()
    assert (whole[0][0] != next(other)[0]).any()


def test_a_batch_larger_than_the_data_is_refused(tmp_path):
    config = dataclasses.replace(TINY, batch_size=2000)
    with pytest.raises(ValueError, match="at most the 1280 training images, received 2000"):
        tiny_run(tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_images_wait_as_bytes_and_come_out_as_they_were():
    random = np.random.default_rng(0)
    images = (random.integers(0, 256, (40, 9, 9, 3)) / np.float32(255)).astype(np.float32)
    pixels, white = as_bytes(images)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels / white, images)
    others = images / 2  # no 255th parts: digits are sixteenths
    kept, one = as_bytes(others)
    assert kept is others
    assert one == 1
    config = dataclasses.replace(TINY, batch_size=40, padding=0)
    for given in (images, others):
        drawn, order = next(iter(batches(given, np.arange(40), config)))
        np.testing.assert_array_equal(drawn, given[order])


def test_no_thread_tunes_the_batches():
    """It may notice a minute late that it is to end, and whoever frees the batches waits for it."""
    images, config = coded(8, 8), TrainingConfig(padding=2, batch_size=4)
    assert batches(images, np.zeros(8, int), config).options().autotune.enabled is False


def test_bfloat16_is_an_option_of_the_recipe(tmp_path):
    config = dataclasses.replace(TINY, bfloat16=True, epochs=2)
    run = tiny_run(tmp_path, config)
    kinds = {layer.compute_dtype for layer in run.model.layers if "conv" in layer.name}
    assert kinds == {"bfloat16"}
    assert {str(weight.dtype) for weight in run.model.weights} == {"float32"}
    assert "--bfloat16" in command(config)
    again = tiny_run(tmp_path, config, resume=True)
    assert again.record["history"] == run.record["history"]


@pytest.mark.slow
def test_weight_decay_is_applied_once_and_not_to_bn():
    config = dataclasses.replace(TINY, weight_decay=0.3)
    one = tf.distribute.get_strategy()
    model = models.initial_network(config, load("digits"), config.schedule(10), one)
    assert model.optimizer.weight_decay is None
    assert model.optimizer.nesterov
    with tf.GradientTape() as tape:
        penalty = tf.add_n(model.losses)
    weights = model.trainable_weights
    decayed = 0
    for weight, gradient in zip(weights, tape.gradient(penalty, weights), strict=True):
        if weight.name == "kernel":
            np.testing.assert_allclose(gradient, 0.3 * weight, rtol=1e-5)
            decayed += 1
        else:
            assert gradient is None
    assert decayed == len([w for w in weights if w.name == "kernel"]) == 10


@pytest.mark.slow
def test_what_a_run_leaves(finished):
    run, folder = finished
    names = {"checkpoint.npz", "model.weights.h5", "log.csv", "record.json", "curves.png"}
    assert {path.name for path in folder.iterdir()} == names
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert record == json.loads(json.dumps(run.record))
    assert record["config"] == json.loads(json.dumps(dataclasses.asdict(TINY)))
    assert (record["train_images"], record["test_images"], record["data"]) == (1280, 517, "digits")
    assert record["versions"]["keras"] == keras.__version__
    assert record["code_sha256"] == code_digest()
    with (folder / "log.csv").open(encoding="utf-8") as file:
        log = list(csv.DictReader(file))
    assert [int(row["step"]) for row in log] == [10, 20, 30]
    assert [float(row["loss"]) for row in log] == [row["loss"] for row in record["history"]]
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_weights_reproduce_the_record(finished):
    run, folder = finished
    model = build_cifar(8, input_shape=(8, 8, 1))
    model.load_weights(folder / "model.weights.h5")
    digits = load("digits")
    found = model.predict(digits.x_test, verbose=0)
    accuracy = np.mean(found.argmax(axis=1) == digits.y_test)
    assert accuracy == pytest.approx(run.record["test_accuracy"], abs=1e-6)
    right = found[np.arange(len(found)), digits.y_test]
    assert -np.log(right).mean() == pytest.approx(run.record["history"][-1]["test_loss"], rel=1e-4)
    assert f"digits, ResNet-8, seed 0: {100 * accuracy:.1f} % of 517 test" in run.sentence


@pytest.mark.slow
def test_the_record_has_the_gradients_of_each_epoch(tmp_path):
    monitor = GradientMonitor()
    run = tiny_run(tmp_path, monitor=monitor)
    layers = run.record["layers"]
    assert layers == monitor.records["layers"].tolist()
    for name in ("gradient_norm", "weight_norm", "update_ratio"):
        means = monitor.records[name].reshape(3, 10, len(layers)).mean(axis=1)
        np.testing.assert_allclose([row[name] for row in run.record["history"]], means, rtol=1e-5)


def test_a_step_that_float16_skips_does_not_spoil_the_means(tmp_path):
    stored = [keras.layers.Dense(1, name=name) for name in ("last", "first")]
    model = keras.Sequential([keras.Input((1,)), *stored])
    # The monitor has them in order of use, the record as the model stores them.
    steps = np.array([[np.inf, np.nan], [1.0, np.inf], [3.0, np.nan]])
    monitor: Any = types.SimpleNamespace(
        records={"step": np.arange(3), "layers": np.array(["first", "last"])}
        | {name: steps for name in MEASURES}
    )
    state = checkpoint.State(TINY, {}, [], [], [])
    callback = CheckpointCallback(tmp_path, state, 10, monitor)
    callback.set_model(model)
    means = callback._norms()
    assert means == {name: [None, 2.0] for name in MEASURES}
    plt.close(plots.training_run([means | {"accuracy": 0, "test_accuracy": 0}], "ab").figure)


def test_the_bar_ends_when_a_run_is_stopped(monkeypatch):
    bars = []

    def started(bar, start=Progress.start):
        bars.append(bar)
        start(bar)

    def stop():
        with progress(1, 3, steps=10, batch_size=64):
            assert bars[0].live.is_started
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "start", started)

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert not bars[0].live.is_started
    assert (bars[0].tasks[0].completed, bars[0].tasks[0].total) == (10, 30)


@pytest.mark.slow
@pytest.mark.usefixtures("quickly")
def test_who_watches_sees_each_epoch(tmp_path):
    seen = []
    run = tiny_run(tmp_path, watch=seen.append)
    assert [len(record["history"]) for record in seen] == [1, 2, 3]
    written = {"weights_sha256": run.record["weights_sha256"]}  # when all is done
    assert seen[-1] | written == run.record
    assert seen[0]["test_accuracy"] == run.record["history"][0]["test_accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize("every", [2, None])
def test_a_monitor_that_cannot_tell_the_steps_is_refused(tmp_path, every, finished):
    monitor = GradientMonitor(every) if every else GradientMonitor()
    if every is None:
        model = finished[0].model
        digits = load("digits")
        model.fit(digits.x_train[:64], digits.y_train[:64], verbose=0, callbacks=[monitor])
    with pytest.raises(ValueError, match="monitor must be new and record every step"):
        tiny_run(tmp_path, monitor=monitor)


class Stop(keras.callbacks.Callback):
    """Raises at the end of this epoch, counted from 0, in place of a learner's interrupt."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch > self.epoch:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.usefixtures("quickly")
def test_a_stopped_run_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        tiny_run(tmp_path, callbacks=[Stop(0)])
    assert len(stored(tmp_path).history) == 1
    assert not (tmp_path / "record.json").exists()
    run = tiny_run(tmp_path, resume=True)
    assert [row["epoch"] for row in run.record["history"]] == [1, 2, 3]


@pytest.mark.slow
def test_a_finished_run_is_not_run_again(finished):
    _, folder = finished
    before = (folder / "checkpoint.npz").read_bytes()
    run = tiny_run(folder, resume=True, callbacks=[Stop(-1)])
    assert (folder / "checkpoint.npz").read_bytes() == before
    assert run.record["test_accuracy"] == finished[0].record["test_accuracy"]


def test_a_run_is_never_overwritten(finished, tmp_path):
    _, folder = finished
    with pytest.raises(ValueError, match=r"holds a run of 3 epochs: resume goes on with it"):
        tiny_run(folder)
    with pytest.raises(ValueError, match=r"has weight_decay 0.0001, received 0.5; resume with 0"):
        tiny_run(folder, dataclasses.replace(TINY, weight_decay=0.5), resume=True)
    state = stored(folder)
    checkpoint.save(tmp_path, dataclasses.replace(state, history=state.history[:1]))
    with pytest.raises(ValueError, match=r"holds a run of 1 epoch: resume goes on with it"):
        tiny_run(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("quickly")
def test_a_run_goes_on_with_its_own_data(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        tiny_run(tmp_path, callbacks=[Stop(0)])
    digits = load("digits")
    other = dataclasses.replace(digits, x_train=1 - digits.x_train)
    monkeypatch.setattr(loop, "load", lambda *_: other)
    with pytest.raises(ValueError, match="received other digits than"):
        tiny_run(tmp_path, resume=True)


@pytest.mark.parametrize("damage", ["cut", "text", "other"])
def test_a_damaged_checkpoint_is_said_and_kept(tmp_path, finished, damage):
    path = tmp_path / "checkpoint.npz"
    if damage == "cut":
        path.write_bytes((finished[1] / "checkpoint.npz").read_bytes()[:5000])
    elif damage == "text":
        path.write_text("no checkpoint", encoding="utf-8")
    else:
        np.savez(path, x=np.zeros(3))
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=r"damaged or other file .*move the folder away to start anew"
    ):
        tiny_run(tmp_path, resume=True)
    assert path.read_bytes() == before


@pytest.fixture
def full_disk(monkeypatch):
    """Once so many epochs are done, no checkpoint may grow beyond 10,000 bytes.

    Only while it is written: the limit is the whole process's, and would stop pytest's output, too.
    """
    save, limits = checkpoint.save, resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(epochs):
        def saved(folder, state):
            if len(state.history) >= epochs:
                resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
            try:
                save(folder, state)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)

        monkeypatch.setattr(checkpoint, "save", saved)

    return fill


@pytest.mark.slow
def test_no_room_is_said_at_the_start(tmp_path, full_disk):
    full_disk(0)
    with pytest.raises(OSError, match="too large"):
        tiny_run(tmp_path, callbacks=[Stop(-1)])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_said_at_the_start(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        tiny_run(tmp_path / "file" / "run", callbacks=[Stop(-1)])


@pytest.mark.slow
@pytest.mark.usefixtures("quickly")
def test_a_disk_that_fills_leaves_the_last_checkpoint(tmp_path, full_disk):
    full_disk(2)
    with pytest.raises(OSError, match=r"epoch 2 could not be kept in .*that of epoch 1 is"):
        tiny_run(tmp_path)
    full_disk(99)  # there is room again
    assert len(stored(tmp_path).history) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.npz", "log.csv"}
    assert len(tiny_run(tmp_path, resume=True).record["history"]) == 3


@pytest.mark.usefixtures("quickly")
def test_the_training_step_is_traced_once(tmp_path, monkeypatch):
    traces, step = [], keras.Model.train_step

    def traced(model, batch):
        traces.append(model.name)
        return step(model, batch)

    monkeypatch.setattr(keras.Model, "train_step", traced)
    tiny_run(tmp_path)
    assert len(traces) == 1


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_the_run(tmp_path, monkeypatch):
    def spoilt(*arguments):
        def spoil(step, batch):
            x, y = batch
            return tf.where(step == 13, x * float("nan"), x), y

        return batches(*arguments).enumerate().map(spoil)

    monkeypatch.setattr(loop, "batches", spoilt)
    # The fused ReLU makes zeros of NaN, so the loss may be one a step later only.
    words = r"at step 1[34] \(epoch 2\) the loss is nan; .* first.*, at step 13\."
    with pytest.raises(FloatingPointError, match=words):
        tiny_run(tmp_path)
    assert len(stored(tmp_path).history) == 1


@keras.saving.register_keras_serializable("tests")
class Breaks(keras.layers.Layer):
    """Hands its input on; its gradient is no number."""

    def call(self, x):
        @tf.custom_gradient
        def identity(x):
            return tf.identity(x), lambda upstream: upstream * float("nan")

        return identity(x)


@pytest.mark.slow
def test_the_layer_whose_gradient_went_first_is_named(tmp_path, monkeypatch):
    def broken(*_arguments, input_shape, classes, **_options):
        def conv(name):
            return keras.layers.Conv2D(4, 3, activation="relu", name=name)

        layers = [conv("below"), conv("beneath"), Breaks(), conv("above")]
        top = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(classes, "softmax")]
        return keras.Sequential([keras.Input(input_shape), *layers, *top])

    monkeypatch.setattr(models, "build_cifar", broken)
    words = r"at step 9 .* a weight is no number; the gradient of beneath went first, at step 0"
    with pytest.raises(FloatingPointError, match=words):
        tiny_run(tmp_path)


@pytest.mark.slow
def test_a_rate_far_too_large_breaks_the_forward_pass(tmp_path):
    config = dataclasses.replace(TINY, learning_rate=1e30, warmup_epochs=0)
    monitor = GradientMonitor()
    with pytest.raises(FloatingPointError, match=r"the forward pass broke first in ") as told:
        tiny_run(tmp_path, config, monitor=monitor)
    bad = monitor.first_bad
    assert f"broke first in {bad.layer}, at step {bad.step}." in str(told.value)
    # What came before was finite: the gradients were not what went wrong.
    assert np.isfinite(monitor.records["gradient_norm"][: bad.step]).all()
    assert bad.layer != "classifier"


@pytest.mark.slow
@pytest.mark.usefixtures("quickly")
def test_weights_that_went_in_the_last_step_are_not_kept(tmp_path):
    class Spoil(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 9:
                self.model.get_layer("classifier").bias.assign([np.inf] * 10)

    with pytest.raises(FloatingPointError, match=r"at step 9 \(epoch 1\) a weight is no num"):
        tiny_run(tmp_path, callbacks=[Spoil()])
    assert stored(tmp_path).history == []


@pytest.mark.slow
@pytest.mark.usefixtures("quickly")
def test_a_test_loss_that_is_no_number_ends_the_run_and_the_epoch_before_is_kept(
    tmp_path, monkeypatch
):
    digits = load("digits")
    spoilt = np.where(
        np.arange(len(digits.x_test))[:, None, None, None] == 7, np.inf, digits.x_test
    )
    monkeypatch.setattr(loop, "load", lambda *_: dataclasses.replace(digits, x_test=spoilt))
    with pytest.raises(
        FloatingPointError, match=r"at step 9 \(epoch 1\) the test loss is (nan|inf)"
    ):
        tiny_run(tmp_path)
    assert stored(tmp_path).history == []


def test_the_command_makes_the_same_run_again():
    for name, preset in PRESETS.items():
        assert command(preset) == f"python -m resnet_lesson train --preset {name}"
    config = dataclasses.replace(
        PRESETS["cifar10-he"], depth=56, shortcut=False, drops=(5, 6), deterministic=True
    )
    line = "--preset cifar10-he --depth 56 --no-shortcut --drops 5 6 --deterministic"
    assert command(config) == f"python -m resnet_lesson train {line}"


@pytest.mark.slow
def test_the_command_line_trains_and_goes_on(tmp_path, capsys):
    folder = tmp_path / "run"
    options = ["--depth", "8", "--epochs", "2", "--warmup-epochs", "0.5", "--seed", "4"]
    main(["train", *options, "--monitor", "--output", str(folder)])
    said = " ".join(capsys.readouterr().out.split())
    assert "images/s" in said
    assert "digits, ResNet-8, seed 4: " in said
    assert "% of 517 test images right after 2 epochs" in said
    with (folder / "gradients.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 40 * 10
    assert training.begun(folder) == dataclasses.replace(
        PRESETS["digits"], depth=8, epochs=2, warmup_epochs=0.5, seed=4
    )
    for preset in ([], ["--preset", "digits"]):
        main(["train", *preset, "--resume", "--output", str(folder)])  # the run's own options
        assert "after 2 epochs" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["train", "--preset", "cifar10-fast", "--resume", "--output", str(folder)])
    assert "its own data, digits, received the preset cifar10-fast" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_line_says_how_a_stopped_run_goes_on(tmp_path, monkeypatch, capsys):
    step = CheckpointCallback.on_train_batch_end

    def stop(callback, batch, logs=None):
        step(callback, batch, logs)
        if batch == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointCallback, "on_train_batch_end", stop)
    options = ["--depth", "8", "--epochs", "2", "--monitor", "--output", str(tmp_path)]
    with pytest.raises(SystemExit) as stopped:
        main(["train", *options])
    assert stopped.value.code == 130
    assert f"stopped; to go on, add --resume --output {tmp_path}\n" in capsys.readouterr().err
    with (tmp_path / "gradients.csv").open(encoding="utf-8") as file:
        assert {row["step"] for row in csv.DictReader(file)} == set("01234")


HUGE = "1" + 20 * "0"
BEFORE_KERAS = [
    (["--preset", "imagenet"], "--preset: invalid choice: 'imagenet'"),
    (["--dataset", "mnist"], "--dataset must be one of digits, .*, received 'mnist'"),
    (["--depth", "21"], r"--depth must be 6n \+ 2 .*received 21"),
    (["--depth", HUGE], "--depth must be .*, received 1000000"),
    (["--depth", "x"], "--depth must be a positive integer, received 'x'"),
    (["--epochs", "0"], "--epochs must be a whole number from 1 to 2147483647, received 0"),
    (["--epochs", HUGE], "--epochs must be a whole number from 1 to 2147483647, received 1000"),
    (["--epochs", "9" * 5000], "--epochs must be .*, received '999"),
    (
        ["--epochs", "1"],
        r"--warmup-epochs \(not given, so the preset's\) must be .* less than --epochs \(1\), "
        "received 1.0",
    ),
    (["--warmup-epochs", "12"], "--warmup-epochs must be .* less than --epochs .*, received 12"),
    (["--batch-size", "1e300"], "--batch-size must be a whole number .*, received '1e300'"),
    (["--learning-rate", "1e-50"], "--learning-rate must be a number above 0, .* received 1e-50"),
    (["--learning-rate", "nan"], "--learning-rate must be a number above 0, received nan"),
    (["--learning-rate", ""], "--learning-rate must be a number above 0, received ''"),
    (["--momentum", "0.9999999999"], "--momentum must be .* less than 1, .*received 0.999"),
    (["--weight-decay", "1e300"], r"--weight-decay must be a number of at least 0, .* 1e\+300"),
    (["--drops", "2", "1"], r"--drops must be steps that rise, received \(2, 1\)"),
    (["--drops", "\udcff\x1b"], r"--drops must be steps that rise, received \('.udcff.x1b',\)"),
    (["--padding", "-1"], "--padding must be a whole number from 0 to .*, received -1"),
    (["--seed", "2147483648"], "--seed must be a whole number from 0 to .*, received 2147483648"),
    (["--data", ""], "--data must be a path, received ''"),
    (["--output", ""], "--output must be a path, received ''"),
    (["--nonsense", "\x1b[31m\n"], r"unrecognized arguments: --nonsense .x1b\[31m.n "),
]
WITH_DATA = [
    (["--batch-size", "2000"], "--batch-size must be at most the 1280 training images"),
    (["--padding", "8"], "--padding must be less than the images' sides"),
    (["--drops", "3"], "--drops must be steps after the 20 of the warm-up"),
    (["--data", "x.npz"], "only cifar10 is read from a path, received 'x.npz' for digits"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "words"), BEFORE_KERAS + WITH_DATA)
def test_the_command_line_names_the_rule(arguments, words, tmp_path, monkeypatch, capsys):
    if (arguments, words) in BEFORE_KERAS:
        monkeypatch.setattr("resnet_lesson.__main__._choose_backend", pytest.fail)
        arguments = ["--backend", "tensorflow", *arguments]  # what is chosen before Keras comes
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--output", "run", *arguments])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert re.search(words, said), said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_goes_on_with_its_own_options(finished, capsys):
    _, folder = finished
    for options, words in [
        (["--epochs", "1"], f"{folder} has --epochs 3, received 1; resume with 3"),
        (["--drops", "5"], f"{folder} has --drops (), received (5,); resume with ()"),
        (["--epochs", "x"], f"{folder} has --epochs 3, received 'x'"),
    ]:
        with pytest.raises(SystemExit):
            main(["train", "--resume", "--output", str(folder), *options])
        assert words in capsys.readouterr().err
