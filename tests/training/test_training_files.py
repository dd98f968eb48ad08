"""A run's folder: who may use it, what is left of it, and outputs and disks that give up."""

import contextlib
import dataclasses
import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest

from resnet_lesson import load, training
from resnet_lesson.__main__ import main
from resnet_lesson.backend import quiet
from resnet_lesson.output import print_line
from resnet_lesson.runtime import keras
from resnet_lesson.training import PRESETS, TrainingConfig, checkpoint
from resnet_lesson.training import folder as run_folder
from resnet_lesson.training import model as models
from resnet_lesson.training import run as loop

pytestmark = pytest.mark.slow

ONE = TrainingConfig(depth=8, epochs=1, batch_size=128, warmup_epochs=0, padding=1, flip=False)
LEFT = {"checkpoint.npz", "model.weights.h5", "log.csv", "record.json", "curves.png"}
OLD = Path(__file__).parents[1] / "old_files" / "first_edition" / "finished_run" / "checkpoint.npz"


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """With a network that is quickly traced."""

    def small(depth=8, *, input_shape=(8, 8, 1), classes=10, **_):
        top = keras.layers.Dense(classes, activation="softmax")
        return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), top])

    monkeypatch.setattr(models, "build_cifar", small)


def one_epoch(folder, config=ONE, **options):
    return training.train(config, folder, verbose=False, **options)


def stored(folder):
    """The state in this folder."""
    return checkpoint.load(folder)


def names(folder):
    return {path.name for path in Path(folder).iterdir()}


@pytest.mark.parametrize("given", ["", None, b""])
def test_no_folder_is_none(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for use in (lambda: one_epoch(given), lambda: training.begun(given)):
        with pytest.raises(ValueError, match="output must be a path, received"):
            use()
    assert names(tmp_path) == set()


def test_no_data_are_none(tmp_path):
    config = dataclasses.replace(ONE, dataset="cifar10")
    with pytest.raises(ValueError, match="data must be a path, received ''"):
        one_epoch(tmp_path / "run", config, data="")
    assert names(tmp_path) == set()


def test_home_is_found(tmp_path, monkeypatch, capsys):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    options = ["--depth", "8", "--epochs", "1", "--warmup-epochs", "0", "--monitor"]
    main(["train", *options, "--output", "~/run"])
    assert str(tmp_path / "home" / "run" / "curves.png") in capsys.readouterr().out
    assert names("~/run".replace("~", os.environ["HOME"])) == LEFT | {"gradients.csv"}
    assert training.begun("~/run").epochs == 1
    assert names(tmp_path / "here") == set()


def test_files_of_others_stay(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in ("thesis.part.2.docx", f"{dead.pid}.part.thesis.docx"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    (tmp_path / f"{dead.pid}.part.log.csv").write_text("half written", encoding="utf-8")
    one_epoch(tmp_path)
    assert names(tmp_path) == LEFT | {"thesis.part.2.docx", f"{dead.pid}.part.thesis.docx"}


def test_of_two_that_start_together_one_trains(tmp_path):
    together, ends = threading.Barrier(2), []

    def start():
        together.wait()
        try:
            ends.append(one_epoch(tmp_path / "a" / "run", watch=lambda record: both.wait()))
        except ValueError as error:
            ends.append(str(error))
            both.wait()  # the other one trains until this one is refused

    both = threading.Barrier(2, timeout=60)
    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused, run = sorted(ends, key=lambda end: isinstance(end, training.Run))
    assert "must be one training in" in refused
    assert len(run.record["history"]) == 1
    assert names(tmp_path / "a" / "run") == LEFT


def test_a_lock_ends_with_its_process(tmp_path):
    code = f"""
import filelock, time
lock = filelock.FileLock({str(tmp_path / run_folder.LOCK)!r})
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for resume in (False, True):
            with pytest.raises(ValueError, match="wait until the first ends, or choose another"):
                one_epoch(tmp_path, resume=resume)
        assert names(tmp_path) == {run_folder.LOCK}
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    one_epoch(tmp_path)
    assert names(tmp_path) == LEFT


def test_who_waited_for_a_lock_whose_file_is_gone_has_none(tmp_path):
    # What the removal of the file rests on, before the lock is released.
    path = tmp_path / run_folder.LOCK
    with run_folder.exclusive(tmp_path):
        late = os.open(path, os.O_RDWR)
    fcntl.flock(late, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as a process that had opened the file
    with filelock.FileLock(path, timeout=0), pytest.raises(filelock.Timeout):
        filelock.FileLock(path, timeout=0).acquire()
    os.close(late)


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS])
@pytest.mark.filterwarnings("ignore:flock not supported")
def test_where_nothing_can_be_locked_it_trains(tmp_path, monkeypatch, number):
    def none(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", none)
    one_epoch(tmp_path / "run")
    assert names(tmp_path / "run") == LEFT


def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path):
    with pytest.raises(ValueError, match=r"less than the images' sides \(8, 8\), received 8"):
        one_epoch(tmp_path / "a" / "b", dataclasses.replace(ONE, padding=8))
    assert names(tmp_path) == set()


# Outputs


def broken_pipe():
    reads, writes = os.pipe()
    os.close(reads)
    return open(writes, "w", encoding="utf-8")


def full():
    return Path("/dev/full").open("w", encoding="utf-8")


def closed():
    with open(os.devnull, "w", encoding="utf-8") as file:
        return file


OUTPUTS = {
    "pipe": broken_pipe,
    "full": full,
    "closed": closed,
    "none": lambda: None,
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_an_output_that_gives_up_ends_no_training(tmp_path, monkeypatch, kind):
    file = OUTPUTS[kind]()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        patch.setattr(sys, "stderr", None)
        main(["train", "--depth", "8", "--epochs", "2", "--output", str(tmp_path / "run")])
    assert names(tmp_path / "run") == LEFT
    if file is not None:
        file.close()  # as Python does in the end: nothing is left that fails again


@pytest.mark.parametrize("redirected", ["| head -c 1 >/dev/null", ">&- 2>&-"])
def test_python_ends_well_without_its_outputs(tmp_path, redirected):
    train = "-m resnet_lesson train --depth 8 --epochs 1 --warmup-epochs 0"
    line = f"{sys.executable} {train} --output {tmp_path / 'run'} {redirected}; "
    line += 'echo "codes ${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=300, check=True
    )
    assert (done.stdout, done.stderr) == ("codes 0\n", "")
    assert names(tmp_path / "run") == LEFT


def test_a_line_is_said_in_whatever_letters_there_are(tmp_path, monkeypatch):
    with (tmp_path / "out").open("w", encoding="cp1252") as file:
        monkeypatch.setattr(sys, "stdout", file)
        print_line("é \u2500 \udcff")
    assert (tmp_path / "out").read_text(encoding="cp1252") == "é \\u2500 \\udcff\n"


@pytest.mark.parametrize("kind", OUTPUTS)
def test_c_is_held_back_whatever_stderr_is(monkeypatch, kind):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", OUTPUTS[kind]())
        with quiet.quiet_stderr():
            assert os.write(2, b"words of C\n") == 11
        with contextlib.suppress(OSError):
            sys.stderr and not sys.stderr.closed and sys.stderr.close()


def test_a_file_never_takes_the_place_of_a_closed_stderr(tmp_path):
    code = """
import os, sys
from resnet_lesson.backend.quiet import quiet_stderr
with open(sys.argv[1], "wb") as file:
    assert file.fileno() > 2
    with quiet_stderr():
        os.write(2, b"words of C")
    os.write(2, b"words of C")
"""
    line = f"{sys.executable} -c '{code}' {tmp_path / 'file'} >&- 2>&-"
    assert subprocess.run(["bash", "-c", line], timeout=120).returncode == 0
    assert (tmp_path / "file").read_bytes() == b""


# Disks


@pytest.fixture
def narrow():
    """A context in which no file may grow beyond so many bytes."""

    @contextlib.contextmanager
    def limit(size):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    return limit


@pytest.mark.parametrize(
    ("size", "name"),
    [(100, "log.csv"), (700, "curves.png"), (700, "record.json"), (9_000, "model.weights.h5")],
)
def test_no_room_at_the_end_keeps_what_was_there(tmp_path, narrow, monkeypatch, size, name):
    run = one_epoch(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    record = run.record | {"weights_after_epoch": None}
    if name != "curves.png":
        monkeypatch.setattr("resnet_lesson.plots.png", lambda *_: b"small")
        before[tmp_path / "curves.png"] = b"small"
    if name == "log.csv":
        before[tmp_path / "curves.png"] = (tmp_path / "curves.png").read_bytes()
    with narrow(size), pytest.raises(OSError, match=rf"make room there .*{name}") as raised:
        run_folder.write_results(tmp_path, run.model, record)
    assert "\n" not in str(raised.value)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_is_one_sentence_on_the_last_line(tmp_path, narrow, capfd):
    with narrow(5_000), pytest.raises(SystemExit) as stopped:
        main(["train", "--depth", "8", "--output", str(tmp_path / "run")])
    said = str(stopped.value.code)
    assert said.startswith("python -m resnet_lesson: ")
    assert f"make room there or choose another place): '{tmp_path}" in said
    assert names(tmp_path) == set()


def test_the_gradients_of_a_finished_run_stay(tmp_path):
    main(["train", "--depth", "8", "--epochs", "2", "--monitor", "--output", str(tmp_path)])
    before = (tmp_path / "gradients.csv").read_bytes()
    assert len(before.splitlines()) == 1 + 2 * 20
    main(["train", "--resume", "--monitor", "--output", str(tmp_path)])
    assert (tmp_path / "gradients.csv").read_bytes() == before


class Move(keras.callbacks.Callback):
    """Moves the run's folder away after its first epoch, and puts another in its place."""

    def __init__(self, folder):
        super().__init__()
        self.place = folder

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            self.place.rename(self.place.with_name("moved"))
            self.place.mkdir()
            (self.place / "gradients.csv").write_text("precious", encoding="utf-8")


def test_gradients_do_not_replace_those_of_a_folder_that_took_the_place(tmp_path):
    place, config = tmp_path / "run", dataclasses.replace(ONE, epochs=3)
    # What ended the run is said, and not that the gradients found no place.
    with pytest.raises(OSError, match=r"epoch 2 could not be kept .*moved away.*\)$"):
        training.train(config, place, gradients=True, callbacks=Move(place), verbose=False)
    assert (place / "gradients.csv").read_text(encoding="utf-8") == "precious"


def test_gradients_of_a_call_that_goes_on_stand_beside_those_before(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    config = dataclasses.replace(ONE, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        training.train(config, tmp_path, gradients=True, callbacks=Stop(), verbose=False)
    before = (tmp_path / "gradients.csv").read_bytes()
    assert len(before.splitlines()) == 1 + 2 * 10
    training.train(config, tmp_path, resume=True, gradients=True, verbose=False)
    assert (tmp_path / "gradients.csv").read_bytes() == before
    after = (tmp_path / "gradients_from_epoch_3.csv").read_bytes()
    assert len(after.splitlines()) == 1 + 10


def test_a_file_is_no_output(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=r"output must be a folder, received the file .*file"):
        training.train(ONE, tmp_path / "file", verbose=False)
    assert names(tmp_path) == {"file"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"config": {"depth": 8}}, "config must be a TrainingConfig"),
        ({"monitor": 5}, "monitor must be a GradientMonitor"),
        ({"watch": 5}, "watch must be a function or None"),
        ({"resume": "no"}, "resume must be True or False"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_made(tmp_path, wrong, words):
    with pytest.raises(ValueError, match=words):
        training.train(**{"config": ONE, "output": tmp_path / "run", **wrong})
    assert names(tmp_path) == set()


def test_another_floatx_is_refused_by_its_name(tmp_path):
    keras.config.set_floatx("float64")
    try:
        with pytest.raises(ValueError, match=r"floatx of Keras.* received 'float64'"):
            training.train(ONE, tmp_path / "run", verbose=False)
    finally:
        keras.config.set_floatx("float32")


# Numbers


def test_numbers_of_numpy_are_those_of_python(tmp_path):
    numbers: dict[str, Any] = {
        "epochs": np.int64(1),
        "learning_rate": np.float32(0.1),
        "drops": (np.int32(5),),
        "seed": np.int8(3),
    }
    config = dataclasses.replace(ONE, **numbers)
    run = one_epoch(tmp_path, config)
    rate = float(np.float32(0.1))
    assert run.record["config"]["learning_rate"] == rate
    assert f" --learning-rate {rate!r}" in run.record["command"]
    assert training.begun(tmp_path) == config


def test_the_preset_of_the_paper_stays_within_its_run():
    config = PRESETS["cifar10-he"]
    config.schedule(50_000 // config.batch_size).check()
    with pytest.raises(ValueError, match=r"6,396 with so many images, received \(32000, 48000\)"):
        config.schedule(5_000 // config.batch_size).check()


@pytest.mark.parametrize("drops", [(2, 3), (5, 20), (19, 20), (40,)])
def test_drops_that_never_come_are_refused(tmp_path, drops):
    # Twenty steps, of which ten are the warm-up: an epoch has 1,280 // 128 of them.
    config = dataclasses.replace(ONE, epochs=2, warmup_epochs=1, drops=drops)
    words = r"after the 10 of the warm-up and before the end of the run, which has 20"
    with pytest.raises(ValueError, match=words):
        one_epoch(tmp_path / "run", config)
    with pytest.raises(ValueError, match=words):
        config.learning_rate_at(3, 10)
    assert names(tmp_path) == set()


def test_the_first_and_the_last_step_after_the_warm_up_are_drops_that_come(tmp_path):
    config = dataclasses.replace(ONE, epochs=2, warmup_epochs=1, drops=(10, 19))
    rates = [config.learning_rate_at(step, 10) for step in (9, 10, 18, 19)]
    np.testing.assert_allclose(rates, [0.1, 0.01, 0.01, 0.001], rtol=1e-6)


def test_a_run_that_an_earlier_version_began_with_such_drops_goes_on(tmp_path):
    run = one_epoch(tmp_path, dataclasses.replace(ONE, epochs=2, drops=(15,)), callbacks=Ends())
    state = stored(tmp_path)
    config = dataclasses.replace(state.config, drops=(99,))
    checkpoint.save(tmp_path, dataclasses.replace(state, config=config))
    again = one_epoch(tmp_path, config, resume=True)
    assert len(again.record["history"]) == 2 == 1 + len(run.record["history"])


class Ends(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def test_the_command_tells_the_local_copy(tmp_path, monkeypatch):
    digits = load("digits")
    monkeypatch.setattr(loop, "load", lambda name, data: digits)
    config = dataclasses.replace(ONE, dataset="cifar10")
    run = one_epoch(tmp_path, config, data=tmp_path / "my copy.npz")
    assert run.record["command"].endswith(" --data 'my copy.npz'")


# ---------------------------------------------------------------- a folder of one's own


@pytest.mark.parametrize("name", ["record.json", "log.csv", "curves.png", "model.weights.h5"])
def test_a_users_file_is_not_written_over(tmp_path, name):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=f"without files of others, received .* with {name}"):
        one_epoch(tmp_path)
    assert names(tmp_path) == {name}
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


def test_a_folder_that_was_moved_away_is_told_and_its_successor_left_alone(tmp_path):
    folder = tmp_path / "run"
    three = dataclasses.replace(ONE, epochs=3)

    def replace(record):
        if len(record["history"]) == 1:
            folder.rename(tmp_path / "old")
            one_epoch(folder, dataclasses.replace(ONE, seed=9))

    with pytest.raises(OSError, match=r"epoch 2 could not be kept .*moved away or replaced"):
        one_epoch(folder, three, watch=replace)
    assert training.begun(folder).seed == 9
    assert names(folder) == LEFT


def test_a_run_stays_where_it_began_wherever_the_process_goes(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    one_epoch("run", watch=lambda record: os.chdir("other"))
    assert names(tmp_path / "run") == LEFT
    assert names(tmp_path / "other") == set()


def test_a_picture_that_fails_leaves_record_and_weights(tmp_path, monkeypatch):
    from resnet_lesson import plots

    def fails(*arguments):
        raise RuntimeError("no LaTeX")

    monkeypatch.setattr(plots, "training_run", fails)
    with pytest.warns(UserWarning, match=r"curves\.png cannot be drawn: no LaTeX"):
        one_epoch(tmp_path)
    assert names(tmp_path) == LEFT - {"curves.png"}
