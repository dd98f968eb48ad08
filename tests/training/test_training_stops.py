"""What is kept, handed back and said of a run that callbacks stop or change, or that moves."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from resnet_lesson import load, training
from resnet_lesson.backend import native
from resnet_lesson.runtime import keras, set_seed
from resnet_lesson.training import TrainingConfig, checkpoint
from resnet_lesson.training import model as models
from resnet_lesson.training import record as records

pytestmark = pytest.mark.slow

TINY = TrainingConfig(depth=8, epochs=3, batch_size=128, padding=1, flip=False)
STEPS = 10


def small(depth=8, *, input_shape=(8, 8, 1), classes=10, **_):
    """A network that is quickly traced, with averages that no gradient trains."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(16), keras.layers.BatchNormalization()]
    top = keras.layers.Dense(classes, activation="softmax", name="classifier")
    return keras.Sequential([keras.Input(input_shape), *layers, top])


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(models, "build_cifar", small)


def tiny_run(folder, config=TINY, **options):
    return training.train(config, folder, verbose=False, **options)


def stored(folder):
    """The state in this folder."""
    return checkpoint.load(folder)


class StopAt(keras.callbacks.Callback):
    """Stops after a batch of an epoch, both counted from 0; then wants to go on, if it insists."""

    def __init__(self, epoch, batch, insists=False):
        super().__init__()
        self.at, self.insists = (epoch, batch), insists

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.insists:
            self.model.stop_training = False


class Changes(keras.callbacks.Callback):
    """Moves the classifier's bias at the end of each epoch, or of the training."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def _change(self):
        self.model.get_layer("classifier").bias.assign([5.0] + 9 * [0.0])

    def on_epoch_end(self, epoch, logs=None):
        if self.at == "epoch":
            self._change()

    def on_train_end(self, logs=None):
        if self.at == "end":
            self._change()


def accuracy(weights):
    """On the test digits, of a network of its own with these weights, in NumPy."""
    model = small()
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    digits = load("digits")
    return np.mean(model(digits.x_test).numpy().argmax(axis=1) == digits.y_test)


def weights(run):
    return [variable.numpy() for variable in run.model.variables]


def same(one, other):
    return all(map(np.array_equal, one, other))


def check_is_told(run, folder):
    """The model handed back, the weights saved and the record are about the same weights."""
    told = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert told == json.loads(json.dumps(run.record))
    assert told["test_accuracy"] == pytest.approx(accuracy(weights(run)), abs=1e-6)
    assert f": {100 * told['test_accuracy']:.1f} % of 517 test images right " in run.sentence
    saved = small()
    saved.load_weights(folder / "model.weights.h5")
    assert same([variable.numpy() for variable in saved.variables], weights(run))


def test_a_part_of_an_epoch_is_not_kept(tmp_path):
    run = tiny_run(tmp_path, callbacks=StopAt(1, 4, insists=True))
    assert [row["epoch"] for row in run.record["history"]] == [1]
    assert run.model.optimizer.iterations == STEPS
    assert same(weights(run), stored(tmp_path).model)
    assert "right after 1 of 3 epochs" in run.sentence
    check_is_told(run, tmp_path)
    again = tiny_run(tmp_path, resume=True)
    assert again.model.optimizer.iterations == 3 * STEPS
    assert "right after 3 epochs" in again.sentence
    check_is_told(again, tmp_path)


def test_a_stop_at_the_last_batch_is_one_between_epochs(tmp_path):
    run = tiny_run(tmp_path, callbacks=StopAt(1, STEPS - 1))
    assert [row["step"] for row in run.record["history"]] == [STEPS, 2 * STEPS]
    assert same(weights(run), stored(tmp_path).model)


def test_before_the_first_epoch_is_full_there_is_the_beginning(tmp_path):
    run = tiny_run(tmp_path, callbacks=StopAt(0, 4))
    set_seed(TINY.seed)
    assert same(weights(run), [variable.numpy() for variable in small().variables])
    assert (run.record["history"], run.record["weights_after_epoch"]) == ([], 0)
    assert "right after 0 of 3 epochs" in run.sentence
    check_is_told(run, tmp_path)
    assert not (tmp_path / "curves.png").exists()
    assert len(tiny_run(tmp_path, resume=True).record["history"]) == 3


def test_stopped_and_resumed_the_weights_are_the_same(tmp_path):
    code = """
import dataclasses, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, "tests/training")
from test_training_stops import TINY, StopAt, models, small, tiny_run, weights
models.build_cifar = small
config = dataclasses.replace(TINY, deterministic=True)
folder = Path(sys.argv[1])
whole = tiny_run(folder / "whole", config)
tiny_run(folder / "stopped", config, callbacks=StopAt(0, 4))
tiny_run(folder / "stopped", config, callbacks=StopAt(1, 7), resume=True)
again = tiny_run(folder / "stopped", config, resume=True)
for one, other in zip(weights(whole), weights(again), strict=True):
    np.testing.assert_array_equal(one, other)
assert again.record["test_accuracy"] == whole.record["test_accuracy"]
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


class BestIsFirst(keras.callbacks.EarlyStopping):
    """Finds the first epoch the best, whatever it was."""

    def __init__(self, **options):
        super().__init__("best", patience=1, mode="min", **options)

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, {"best": epoch})


def test_the_best_weights_are_told_as_those_of_their_epoch(tmp_path):
    run = tiny_run(tmp_path, callbacks=[BestIsFirst(restore_best_weights=True)])
    first, second = run.record["history"]
    assert run.record["weights_after_epoch"] == 1
    assert run.record["test_accuracy"] == first["test_accuracy"] != second["test_accuracy"]
    assert "right with the weights of epoch 1, after 2 of 3 epochs" in run.sentence
    assert run.record["callbacks"] == ["BestIsFirst"]
    check_is_told(run, tmp_path)
    # What goes on is the last epoch, with its optimizer.
    state = stored(tmp_path)
    assert accuracy(state.model) == pytest.approx(second["test_accuracy"], abs=1e-6)
    assert state.optimizer[0] == 2 * STEPS
    again = tiny_run(tmp_path, resume=True)
    assert again.record["history"][:2] == [first, second]
    assert again.record["weights_after_epoch"] == 3
    check_is_told(again, tmp_path)


def test_stopped_early_the_last_weights_are_those_of_the_record(tmp_path):
    run = tiny_run(tmp_path, callbacks=keras.callbacks.CallbackList([BestIsFirst()]))
    assert "right after 2 of 3 epochs" in run.sentence
    assert same(weights(run), stored(tmp_path).model)
    check_is_told(run, tmp_path)


def test_best_weights_put_back_when_the_epoch_ends_do_not_go_on(tmp_path):
    class Back(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.first = self.model.get_weights()
            else:
                self.model.set_weights(self.first)
                self.model.stop_training = True

    run = tiny_run(tmp_path, callbacks=Back())
    assert run.record["weights_after_epoch"] == 1
    check_is_told(run, tmp_path)
    last = run.record["history"][-1]["test_accuracy"]
    assert accuracy(stored(tmp_path).model) == pytest.approx(last, abs=1e-6)


def test_best_weights_of_a_part_of_an_epoch_are_not_kept_either(tmp_path):
    class Best(keras.callbacks.EarlyStopping):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, {"val_loss": -epoch})

    stops = [StopAt(1, 4), Best(patience=5, restore_best_weights=True)]
    run = tiny_run(tmp_path, callbacks=stops)
    assert run.record["weights_after_epoch"] == 1
    assert same(weights(run), stored(tmp_path).model)
    check_is_told(run, tmp_path)


def test_what_callbacks_leave_to_the_next_epoch_is_kept_and_measured(tmp_path):
    run = tiny_run(tmp_path, callbacks=[Changes("epoch"), StopAt(1, 4)])
    state = stored(tmp_path)
    assert state.model[-1][0] == 5
    assert state.history[0]["test_accuracy"] == pytest.approx(accuracy(state.model), abs=1e-6)
    check_is_told(run, tmp_path)


def test_what_callbacks_do_to_what_they_are_told_is_not_on_record(tmp_path):
    class Spoils(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            logs["loss"] = float("nan")

        def on_epoch_end(self, epoch, logs=None):
            logs["val_accuracy"] = 100.0
            del logs["accuracy"]

    run = tiny_run(tmp_path, dataclasses.replace(TINY, epochs=2), callbacks=Spoils())
    assert all(0 < row["accuracy"] < 1 for row in run.record["history"])
    check_is_told(run, tmp_path)


def test_weights_of_no_epoch_are_told_as_such(tmp_path):
    run = tiny_run(tmp_path, dataclasses.replace(TINY, epochs=2), callbacks=Changes("end"))
    assert run.record["weights_after_epoch"] is None
    assert "right with the weights that a callback set, after 2 epochs" in run.sentence
    check_is_told(run, tmp_path)
    assert stored(tmp_path).model[-1][0] != 5


def test_a_callback_that_raises_leaves_the_epoch_before(tmp_path):
    class Raises(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        tiny_run(tmp_path, callbacks=Raises())
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.npz", "log.csv"}
    assert len(stored(tmp_path).history) == 1


@pytest.mark.parametrize(
    ("callback", "words"),
    [
        (keras.callbacks.ReduceLROnPlateau(), "leave the learning rate to the configuration"),
        (keras.callbacks.LearningRateScheduler(float), "received LearningRateScheduler"),
        (keras.callbacks.BackupAndRestore("x"), "leave going on to resume"),
        (keras.callbacks.EarlyStopping, "must be Keras callbacks, received <class"),
        (5, "must be Keras callbacks, received 5"),
    ],
)
def test_callbacks_that_cannot_be_are_refused(tmp_path, callback, words):
    with pytest.raises(ValueError, match=words):
        tiny_run(tmp_path / "run", callbacks=[keras.callbacks.History(), callback])
    assert not (tmp_path / "run").exists()


@pytest.fixture
def machine(monkeypatch):
    """Makes this machine one with a GPU, or without: ``train`` asks no more than this."""

    def be(gpu):
        monkeypatch.setattr(native, "has_gpu", lambda: gpu)
        monkeypatch.setattr(records, "device_name", lambda: "a GPU" if gpu else "a CPU")

    return be


@pytest.mark.parametrize("gpu", [True, False])
def test_a_run_goes_on_on_another_kind_of_machine(tmp_path, machine, gpu):
    machine(gpu)
    config = dataclasses.replace(TINY, epochs=2)
    run = tiny_run(tmp_path, config, callbacks=StopAt(0, STEPS - 1))
    assert "went_on" not in run.record
    inner = stored(tmp_path).optimizer[-7:]  # the number of steps and six momenta
    machine(not gpu)
    keeps = []

    class Sees(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
            keeps.extend(variable.numpy() for variable in optimizer.variables)

    again = tiny_run(tmp_path, config, callbacks=Sees(), resume=True)
    assert type(run.model.optimizer) is not type(again.model.optimizer)
    assert len(again.record["history"]) == 2
    assert len(keeps) == len(inner)
    assert same(keeps, inner)
    begun, later = ("a GPU", "a CPU") if gpu else ("a CPU", "a GPU")
    assert again.record["hardware"] == begun
    assert [(now["after_epoch"], now["hardware"]) for now in again.record["went_on"]] == [
        (1, later)
    ]
    assert f"on {begun}, {later}" in again.sentence


def test_a_run_that_other_code_goes_on_with_says_so(tmp_path, monkeypatch):
    run = tiny_run(tmp_path, dataclasses.replace(TINY, epochs=2), callbacks=StopAt(0, STEPS - 1))
    monkeypatch.setattr(records, "code_digest", lambda: "other")
    again = tiny_run(tmp_path, dataclasses.replace(TINY, epochs=2), resume=True)
    assert again.record["code_sha256"] == run.record["code_sha256"]
    assert [later["code_sha256"] for later in again.record["went_on"]] == ["other"]


def test_the_digest_of_the_code_is_of_every_file_and_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "__file__", str(tmp_path / "training" / "record.py"))
    digests = set()
    for name, text in [("a.py", "1"), ("a.py", "2"), ("training/b.py", ""), ("c.txt", "no code")]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        digests.add(records.code_digest())
    assert len(digests) == 3
    (tmp_path / "a.py").write_bytes(b"2\r\n")
    windows = records.code_digest()
    (tmp_path / "a.py").write_bytes(b"2\n")
    assert records.code_digest() == windows


def test_the_loss_scale_goes_on_where_there_is_one(tmp_path, machine):
    machine(True)
    tiny_run(tmp_path, callbacks=StopAt(0, STEPS - 1))
    state = stored(tmp_path)
    scale = state.optimizer[3] = np.float32(8)
    checkpoint.save(tmp_path, state)
    again = tiny_run(tmp_path, callbacks=StopAt(1, 0), resume=True)
    assert again.model.optimizer.dynamic_scale == scale
    assert "went_on" not in again.record


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    tiny_run(tmp_path, callbacks=StopAt(0, 0))
    state = stored(tmp_path)
    for broken in (
        dataclasses.replace(state, model=state.model[:-1]),
        dataclasses.replace(state, optimizer=state.optimizer[1:]),
    ):
        checkpoint.save(tmp_path, broken)
        with pytest.raises(ValueError, match=r"must hold the [0-9]+ arrays of its network"):
            tiny_run(tmp_path, resume=True)


@pytest.fixture
def policy():
    """Sets the user's dtype policy, for this test."""
    yield keras.config.set_dtype_policy
    keras.backend.clear_session()
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("name", ["mixed_bfloat16", "mixed_float16"])
def test_a_users_dtype_policy_survives_and_is_not_the_networks(tmp_path, policy, name):
    policy(name)
    run = tiny_run(tmp_path, callbacks=StopAt(0, 0))
    assert keras.config.dtype_policy().name == name
    assert {layer.dtype_policy.name for layer in run.model.layers} == {"float32"}
    assert type(run.model.optimizer) is keras.optimizers.SGD


def test_without_a_policy_layers_follow_floatx(policy):
    set_seed(0)
    try:
        keras.config.set_floatx("float64")
        assert keras.layers.Dense(1).compute_dtype == "float64"
    finally:
        keras.config.set_floatx("float32")


@pytest.mark.parametrize("how", ["freeze", "compile", "rate"])
def test_a_callback_that_changes_what_trains_is_refused(tmp_path, how):
    class Changes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if how == "freeze":
                self.model.get_layer("dense").trainable = False
            elif how == "rate":
                rate = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1e-9, 1e-9])
                self.model.optimizer.learning_rate = rate
            else:
                self.model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])

    with pytest.raises(ValueError, match=r"must leave compile, .* end of epoch 2"):
        training.train(TINY, tmp_path, callbacks=Changes(), verbose=False)
    assert len(stored(tmp_path).history) == 1


def test_a_finished_run_hands_back_what_it_kept(tmp_path):
    class Best(keras.callbacks.Callback):
        """Ends with the weights of the first epoch."""

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.kept = self.model.get_weights()

        def on_train_end(self, logs=None):
            self.model.set_weights(self.kept)

    first = training.train(TINY, tmp_path, callbacks=Best(), verbose=False)
    assert first.record["weights_after_epoch"] == 1
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again = training.train(TINY, tmp_path, resume=True, verbose=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert again.sentence == first.sentence
    for one, other in zip(first.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_a_watcher_does_to_the_record_stays_with_it(tmp_path):
    def spoil(record):
        record["history"].reverse()
        record["history"][0].pop("gradient_norm")

    run = training.train(TINY, tmp_path, watch=spoil, verbose=False)
    assert [row["epoch"] for row in run.record["history"]] == [1, 2, 3]
    assert all("gradient_norm" in row for row in run.record["history"])


def test_a_run_that_failed_before_its_first_epoch_may_be_begun_anew(tmp_path):
    class Fails(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            raise RuntimeError("not yet")

    with pytest.raises(RuntimeError, match="not yet"):
        training.train(TINY, tmp_path, callbacks=Fails(), verbose=False)
    (tmp_path / "gradients.csv").write_text("of the run that failed", encoding="utf-8")
    assert len(training.train(TINY, tmp_path, verbose=False).record["history"]) == 3


def test_the_rate_stays_down_after_the_end():
    config = dataclasses.replace(TINY, learning_rate=0.1)
    assert [config.learning_rate_at(step, 10) for step in (30, 31, 45, 60)] == [0] * 4
    assert 0 < config.learning_rate_at(29, 10) < 1e-3
