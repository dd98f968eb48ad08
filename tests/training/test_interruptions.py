"""A run killed at any moment ends with the weights of one that never was, bit for bit."""

import csv
import os
import random
import signal
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.slow

# `make stress` asks for more.
KILLS = int(os.environ.get("KILLS", "3"))
# Kills the process in the middle of writing the n-th checkpoint, just after that is in place, or
# so many milliseconds after the first step.
TRAIN = """
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
    if moment == "writing" and written == number:
        write = np.lib.format.write_array
        def last_words(file, array, *rest, **options):
            write(file, array, *rest, **options)
            if array.size > 5000:
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        np.lib.format.write_array = last_words
    save(folder, state)
    if moment == "written" and written == number:
        os.kill(os.getpid(), signal.SIGKILL)

def step(callback, batch, logs=None, step=CheckpointCallback.on_train_batch_end, timers=[]):
    if moment == "any" and not timers:
        timers.append(threading.Timer(number / 1000, os.kill, (os.getpid(), signal.SIGKILL)))
        timers[0].start()
    step(callback, batch, logs)

checkpoint.save, CheckpointCallback.on_train_batch_end = save, step
main(["train", *sys.argv[3:]])
"""


def start(folder, moment="never", number=0):
    options = ["--depth", "8", "--epochs", str(KILLS + 3), "--deterministic", "--resume"]
    command = [sys.executable, "-c", TRAIN, moment, str(number), *options, "--output", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process):
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def arrays(folder):
    with np.load(folder / "checkpoint.npz") as file:
        return {name: file[name] for name in file.files if name != "told"}


def test_killed_again_and_again(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    code, said = ended(start(whole))
    assert code == 0, said
    with (whole / "log.csv").open(encoding="utf-8") as file:
        epoch = min(float(row["seconds"]) for row in csv.DictReader(file))
    draw = random.Random(KILLS)
    for kill in range(KILLS):
        moment = ("writing", "written", "any")[kill % 3]
        # The first save of a process that starts anew is that of the beginning.
        number = round(2000 * epoch * draw.random()) if moment == "any" else 1 + (kill == 0)
        code, said = ended(start(killed, moment, number))
        assert code == -signal.SIGKILL, said
        assert not (killed / "record.json").exists()
        if moment == "writing":
            assert list(killed.glob("*.part.*")), "it was to be killed in writing"
    code, said = ended(start(killed))
    assert code == 0, said
    one, other = arrays(whole), arrays(killed)
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(other[name], values, err_msg=name)
    assert not list(killed.glob("*.part.*"))
    assert len((killed / "log.csv").read_text(encoding="utf-8").splitlines()) == 1 + KILLS + 3
    assert {path.name for path in killed.iterdir()} == {path.name for path in whole.iterdir()}
