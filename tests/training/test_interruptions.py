"""A run killed at any moment ends with the weights of one that never was, bit for bit."""

import csv
import random
import signal

import kills
import numpy as np
import pytest
import signals
from kills import KILLS

from resnet_lesson.training import checkpoint

pytestmark = pytest.mark.slow

# Kills the process in the middle of writing the n-th checkpoint, just after that is in place, or
# so many milliseconds after the first step.
TRAIN = """
from resnet_lesson import stopping
stopping.listen()
import os, signal, sys, threading
import numpy as np
from resnet_lesson.__main__ import main
from resnet_lesson.training import checkpoint
from resnet_lesson.training.callback import CheckpointCallback

moment, number = sys.argv[1], int(sys.argv[2])
written = 0

def save(folder, state, save=checkpoint.save):
    global written
    written += 1
    if moment == "in writing" and written == number:
        write = np.lib.format.write_array
        def last_words(file, array, *rest, **options):
            write(file, array, *rest, **options)
            if array.size > 5000:
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        np.lib.format.write_array = last_words
    save(folder, state)
    if moment == "just written" and written == number:
        os.kill(os.getpid(), signal.SIGKILL)

def step(callback, batch, logs=None, step=CheckpointCallback.on_train_batch_end, timers=[]):
    if moment == "never" and "BEGUN" in os.environ:
        open(os.environ["BEGUN"], "w").close()
    if moment == "any time" and not timers:
        timers.append(threading.Timer(number / 1000, os.kill, (os.getpid(), signal.SIGKILL)))
        timers[0].start()
    step(callback, batch, logs)

checkpoint.save, CheckpointCallback.on_train_batch_end = save, step
try:
    main(["train", *sys.argv[3:]])
finally:
    stopping.finish()
"""


def started(folder, moment="never", number=0):
    options = ["--depth", "8", "--epochs", str(KILLS + 3), "--deterministic", "--resume"]
    return kills.start("-c", TRAIN, moment, number, *options, "--output", folder)


def arrays(folder):
    with np.load(folder / "checkpoint.npz") as file:
        return {name: file[name] for name in file.files if name != "told"}


def are_alike(one, other):
    one, other = arrays(one), arrays(other)
    return one.keys() == other.keys() and all(
        values.tobytes() == other[name].tobytes() for name, values in one.items()
    )


def epochs(folder):
    state = checkpoint.load(folder)
    return len(state.history) if state else 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that nobody stopped, and the seconds of an epoch."""
    folder = tmp_path_factory.mktemp("whole")
    code, said = kills.end(started(folder))
    assert code == 0, said
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return folder, min(float(row["seconds"]) for row in csv.DictReader(file))


def finish(killed, whole):
    """Let it end; whether it is the run that nobody stopped."""
    code, said = kills.end(started(killed))
    assert code == 0, said
    assert len((killed / "log.csv").read_text(encoding="utf-8").splitlines()) == 1 + KILLS + 3
    assert {path.name for path in killed.iterdir()} == {path.name for path in whole.iterdir()}
    return are_alike(killed, whole)


def test_killed_again_and_again(tmp_path, whole):
    whole, epoch = whole
    killed, draw, seen = tmp_path / "killed", random.Random(KILLS), []
    for kill in range(KILLS):
        moment = ("in writing", "just written", "any time")[kill % 3]
        # The first save of a process that starts anew is that of the beginning.
        number = round(2000 * epoch * draw.random()) if moment == "any time" else 1 + (kill == 0)
        code, said = kills.end(started(killed, moment, number))
        assert code == -signal.SIGKILL, said
        assert not (killed / "record.json").exists()
        partial = len(list(killed.glob("*.part.*")))
        assert partial or moment != "in writing"
        event = "milliseconds after the first step" if moment == "any time" else "save of a process"
        seen.append(
            {"program": "train", "signal": "SIGKILL", "moment": moment, event: number}
            | {"epochs_on_record": epochs(killed), "partial_files": partial}
        )
    same = finish(killed, whole)
    kills.keep("training", "A training is killed.", seen, same)
    assert same
    assert epochs(whole) > seen[-1]["epochs_on_record"]


def test_signals_at_any_moment_of_a_training(tmp_path, whole, monkeypatch):
    whole, epoch = whole
    begun = tmp_path / "begun"
    monkeypatch.setenv("BEGUN", str(begun))
    stopped, draw, seen = tmp_path / "stopped", random.Random(KILLS), []
    line = f"python -m resnet_lesson: stopped; to go on, add --resume --output {stopped}\n"
    for kill in range(KILLS):
        begun.unlink(missing_ok=True)
        row, code, said = signals.send(started(stopped), draw, kill, begun.exists, 4 * epoch)
        signals.check(row, code, said, line)
        assert kills.left_over(stopped) == []
        seen.append({"program": "train"} | row | {"epochs_on_record": epochs(stopped)})
    same = finish(stopped, whole)
    kills.keep("training_signals", "A training gets a signal.", seen, same)
    assert same
    assert sum(row["exit_code"] != 0 for row in seen) > KILLS / 2
