"""The cell of notebook 5 that trains at full size, as on Colab: a GPU, a drive, a disconnection."""

import contextlib
import dataclasses
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import colab
import numpy as np
import pytest

from resnet_lesson import training
from resnet_lesson.backend import native
from resnet_lesson.runtime import keras
from resnet_lesson.training import run as runs

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[2] / "notebooks/05_training.ipynb"
DRIVE = "/content/drive"


class Disconnected(BaseException):
    """The machine is gone."""


@contextlib.contextmanager
def lost_in_the_second_epoch(*arguments, **options):
    def begin(epoch, logs):
        if epoch == 1:
            raise Disconnected

    yield keras.callbacks.LambdaCallback(on_epoch_begin=begin)


def trained_by_the_cell(drive):
    """Run the cell as a reader would who has written True, on a drive that is this folder."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    source = "".join(next(cell for cell in cells if cell["id"] == "yours")["source"])
    assert source.startswith("train_it = False")
    assert f'"{DRIVE}/MyDrive/' in source
    source = source.replace("train_it = False", "train_it = True")
    source = source.replace(f"{DRIVE}/MyDrive", str(drive))
    names = {"sys": sys}  # all that the set-up cell leaves
    exec(source, names)
    return names["run"]


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """Colab with a GPU, and a CIFAR-10 of 60 images for a network of 8 layers."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 32, 32, 3), np.uint8)
    labels = np.arange(60) % 10
    train: Any = {"x_train": images[:40], "y_train": labels[:40]}
    np.savez(tmp_path / "small.npz", **train, x_test=images[40:], y_test=labels[40:])
    monkeypatch.setenv("RESNET_LESSON_CIFAR10", str(tmp_path / "small.npz"))
    preset = dataclasses.replace(
        training.PRESETS["cifar10-fast"], depth=8, epochs=2, batch_size=20, warmup_epochs=1
    )
    monkeypatch.setitem(training.PRESETS, "cifar10-fast", preset)
    colab.stand_in(tmp_path / "modules")
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    importlib.import_module("google.colab")
    monkeypatch.setattr(native, "has_gpu", lambda: True)
    monkeypatch.setattr(native, "gpu_name", lambda: "Tesla T4")
    yield tmp_path / "drive"
    for name in [name for name in sys.modules if name.startswith("google.colab")]:
        del sys.modules[name]


def test_a_training_on_colab_goes_on_after_it_was_disconnected(pretended, monkeypatch):
    with monkeypatch.context() as machine:
        machine.setattr(runs, "progress", lost_in_the_second_epoch)
        with pytest.raises(Disconnected):
            trained_by_the_cell(pretended)
    folder = pretended / "resnet-lesson/cifar10-fast"
    assert (folder / "checkpoint.npz").is_file()
    assert not (folder / "record.json").exists()
    run = trained_by_the_cell(pretended)
    assert [epoch["epoch"] for epoch in run.record["history"]] == [1, 2]
    assert "went_on" not in run.record  # on the same kind of machine
    assert run.record["hardware"] == "Tesla T4"
    assert {layer.compute_dtype for layer in run.model.layers[1:-1]} == {"float16"}
    written = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(run.record))
