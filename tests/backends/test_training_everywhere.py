"""On each backend of Keras: a training, its batches, and going on with it."""

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from resnet_lesson import GradientMonitor, load, training
from resnet_lesson.backend import NAME, NAMES, keras, native
from resnet_lesson.training import checkpoint
from resnet_lesson.training import model as models
from resnet_lesson.training.interrupt import interrupts
from resnet_lesson.training.pipeline import batches

pytestmark = pytest.mark.slow

TINY = dataclasses.replace(
    training.PRESETS["digits"], depth=8, epochs=2, warmup_epochs=0.5, batch_size=256
)


def test_batches_are_the_same():
    """As tests/training/test_training.py holds them to TensorFlow's own, the others hold to it."""
    digits, sha256 = load("digits"), hashlib.sha256()
    config = dataclasses.replace(TINY, flip=True, padding=2, seed=3)
    for x, y in batches(digits.x_train, digits.y_train, config):
        sha256.update(np.asarray(x, np.float32).tobytes())
        sha256.update(np.asarray(y, np.int32).tobytes())
    assert sha256.hexdigest()[:16] == "859bf2d3b2a7096b"


def stored(folder):
    state = checkpoint.load(folder)
    assert state is not None
    return state


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, training.train(TINY, folder, verbose=False)


def test_a_training_leaves_what_it_should(whole):
    folder, run = whole
    assert NAME in run.record["versions"]
    losses = [epoch["loss"] for epoch in run.record["history"]]
    assert losses[1] < losses[0]
    assert (folder / "model.weights.h5").exists()


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(whole, tmp_path):
    _, run = whole

    def stop(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(TINY, tmp_path, watch=stop, verbose=False)
    assert len(stored(tmp_path).history) == 1
    again = training.train(TINY, tmp_path, resume=True, verbose=False)
    for weight, other in zip(run.model.variables, again.model.variables, strict=True):
        if NAME == "torch":  # sums of several threads are not in one order
            np.testing.assert_allclose(weight.numpy(), other.numpy(), rtol=1e-3, atol=1e-4)
        else:
            assert weight.numpy().tobytes() == other.numpy().tobytes()


@pytest.fixture
def heeded():
    """Ctrl-C raises a KeyboardInterrupt, as it does unless who started Python ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_lost_interrupt_stops_a_training_all_the_same(tmp_path, heeded):
    seen = []

    def lose(batch, logs):
        seen.append(batch)
        with contextlib.suppress(KeyboardInterrupt):  # as NumPy does where JAX gives it an array
            signal.raise_signal(signal.SIGINT)

    losing = keras.callbacks.LambdaCallback(on_train_batch_end=lose)
    with pytest.raises(KeyboardInterrupt):
        training.train(TINY, tmp_path, callbacks=losing, verbose=False)
    assert seen == [0]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_interrupt_stays_ignored(heeded):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts() as check:
        signal.raise_signal(signal.SIGINT)
        check()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_run_goes_on_on_its_own_backend_only(whole, tmp_path):
    def stop(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(TINY, tmp_path, watch=stop, verbose=False)
    state = stored(tmp_path)
    other = next(name for name in NAMES if name != NAME)
    versions = {name: value for name, value in state.about["versions"].items() if name != NAME}
    about = state.about | {"versions": versions | {other: "1"}}
    checkpoint.save(tmp_path, dataclasses.replace(state, about=about))
    with pytest.raises(ValueError, match=f"was begun on {other}, received {NAME}"):
        training.train(TINY, tmp_path, resume=True, verbose=False)


if NAME == "jax":

    def test_several_steps_in_one_call_train_the_same_network(whole, tmp_path, monkeypatch):
        _, run = whole
        monkeypatch.setattr(native, "steps_at_once", lambda: 4)  # of which 5 is no multiple
        assert models._steps_at_once(390) == 3
        monkeypatch.setattr(native, "steps_at_once", lambda: 10)
        monitor, calls = GradientMonitor(), []
        counting = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: calls.append(batch)
        )
        several = training.train(TINY, tmp_path, monitor=monitor, callbacks=counting, verbose=False)
        assert calls == [4, 4]
        assert monitor.records["step"].tolist() == list(range(10))
        for weight, other in zip(run.model.variables, several.model.variables, strict=True):
            assert weight.numpy().tobytes() == other.numpy().tobytes()


def test_what_trains_on_a_gpu_trains_in_mixed_precision(tmp_path, monkeypatch):
    """The same code as on a GPU, on this machine's cores."""
    monkeypatch.setattr(native, "has_gpu", lambda: True)
    monkeypatch.setattr(native, "gpu_name", lambda: "a GPU")
    run = training.train(dataclasses.replace(TINY, epochs=1), tmp_path, verbose=False)
    assert (run.record["hardware"], run.record["versions"]["device"]) == ("a GPU", "GPU")
    assert {layer.compute_dtype for layer in run.model.layers[1:-1]} == {"float16"}
    assert type(run.model.optimizer).__name__ == "LossScaleOptimizer"
    (epoch,) = run.record["history"]
    assert epoch["loss"] < np.log(10)  # of an even guess
    assert all(norm and norm < 100 for norm in epoch["gradient_norm"])


def test_a_trained_network_can_be_loaded():
    from resnet_lesson import pretrained

    model = pretrained.load().model
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    assert model.predict(x, verbose=0).sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


def command(*arguments, **environment):
    """The command line in a process of its own, where nothing has chosen a backend."""
    own = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-m", "resnet_lesson", *arguments],
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_run_is_gone_on_with_on_its_own_backend_by_itself(tmp_path):
    def stop(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(TINY, tmp_path, watch=stop, verbose=False)
    done = command("train", "--resume", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert len(record["history"]) == 2
    assert record["command"].endswith(f" --backend {NAME}") == (NAME != "tensorflow")


if NAME != "tensorflow":

    def test_a_study_says_that_it_needs_tensorflow_and_leaves_nothing(tmp_path):
        done = command("study", "projection", "--output", str(tmp_path), KERAS_BACKEND=NAME)
        assert f"compute on TensorFlow, and Keras is set to '{NAME}'" in done.stderr
        assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == []
