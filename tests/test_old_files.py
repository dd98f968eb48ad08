"""Files that an earlier version wrote load for ever; a folder is named after that version."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from toy_study import measure, study

from resnet_lesson import GradientExplorer, TrainingPanel, training
from resnet_lesson.runtime import keras
from resnet_lesson.studies import engine
from resnet_lesson.studies.engine import run
from resnet_lesson.training import PRESETS, checkpoint
from resnet_lesson.training.schedule import Schedule

FIRST = Path(__file__).parent / "old_files" / "first_edition"
TINY = dataclasses.replace(PRESETS["digits"], depth=8, epochs=2, batch_size=128)


@pytest.fixture
def copied(tmp_path):
    """A copy of one of the folders, so that the old one stays as it is."""

    def copy(name):
        return Path(shutil.copytree(FIRST / name, tmp_path / name))

    return copy


@pytest.mark.slow
def test_a_finished_run_is_finished_still(copied):
    folder = copied("finished_run")
    before = (folder / "checkpoint.npz").read_bytes()
    again = training.train(TINY, folder, resume=True, verbose=False)
    assert (folder / "checkpoint.npz").read_bytes() == before
    assert again.record["test_accuracy"] == pytest.approx(
        again.model.evaluate(*_test_digits(), verbose=0, return_dict=True)["accuracy"], abs=1e-6
    )
    weights = again.model.get_weights()
    again.model.load_weights(FIRST / "finished_run" / "model.weights.h5")
    for one, other in zip(weights, again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def _test_digits():
    from resnet_lesson import load

    digits = load("digits")
    return digits.x_test, digits.y_test


@pytest.mark.slow
def test_a_run_that_was_begun_goes_on(copied):
    folder = copied("begun_on_gpu")
    state = checkpoint.load(folder)
    assert state is not None
    assert len(state.history) == 1
    run = training.train(dataclasses.replace(TINY, epochs=3), folder, resume=True, verbose=False)
    assert [row["epoch"] for row in run.record["history"]] == [1, 2, 3]


def test_a_guess():
    explorer = GradientExplorer()
    explorer.open_guesses(FIRST / "guesses")
    assert [guess["end"] for guess in explorer.guesses] == [-12.5]


def test_a_recording():
    panel = TrainingPanel.replay(FIRST / "recording.json")
    assert panel.norms("mine", "gradient_norm").shape == (8, 2)
    assert panel.norms("mine", "weight_norm")[0, 1] == pytest.approx(4.17, rel=0.1)


def runs_of(seeds, sizes=(1, 2)):
    """What the toy measures, without the engine."""
    return [
        {"size": size, "kind": kind, "seed": seed} | row
        for size in sizes
        for kind in "ab"
        for seed in seeds
        for row in measure(size, kind, seed)
    ]


def rounded(runs):
    return [run | {"value": pytest.approx(run["value"], rel=1e-5)} for run in runs]


def test_a_record_of_a_study(copied):
    folder = copied("study")
    before = (folder / "toy.json").read_bytes()
    assert run(study(), folder).runs == rounded(runs_of(range(3)))
    assert (folder / "toy.json").read_bytes() == before


def test_half_a_journal(copied):
    entries = engine._read_journal(copied("half") / "toy.journal").values()
    found = [row for entry in entries for row in entry["runs"]]
    assert found == rounded(runs_of(range(3), sizes=(1,))[: len(found)])
    assert len(entries) == 4


def test_a_saved_model():
    model = keras.models.load_model(FIRST / "model.keras")
    assert isinstance(model.optimizer._learning_rate, Schedule)
    schedule = model.optimizer.get_config()["learning_rate"]
    assert schedule["config"] == {"peak": 0.1, "warmup": 5, "steps": 50, "drops": ()}
    assert int(model.optimizer.iterations) == 1
    images = np.random.default_rng(0).random((16, 16, 16, 3), np.float32)
    np.testing.assert_allclose(
        model.predict(images, verbose=0), np.load(FIRST / "predictions.npy"), rtol=1e-4
    )
