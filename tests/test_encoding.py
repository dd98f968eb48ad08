"""Text files are UTF-8, whatever the system's own encoding is: that of Windows is cp1252."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
# A file that is opened without an encoding is an error, even if its text is ASCII.
STRICT = """
import locale, warnings
assert locale.getpreferredencoding(False) == "ANSI_X3.4-1968", "nothing beyond ASCII"
warnings.filterwarnings("error", category=EncodingWarning, module="resnet_lesson")
"""
EVERYTHING = """
import importlib, pkgutil, sys
import resnet_lesson
for module in pkgutil.walk_packages(resnet_lesson.__path__, "resnet_lesson."):
    # Two are for backends that are not installed here.
    if not module.name.endswith(("__main__", "backend.jax", "backend.torch")):
        importlib.import_module(module.name)
for name in resnet_lesson.__all__:
    getattr(resnet_lesson, name)

from resnet_lesson import GradientExplorer, LesionExplorer, TrainingPanel, pretrained, studies
from resnet_lesson.widgets.panel.widget import RECORDED
for name in studies.NAMES:
    studies.record(name)
pretrained.load()
LesionExplorer()
GradientExplorer()
TrainingPanel.replay(RECORDED)
"""
TRAINING = """
import dataclasses, json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from toy_study import study

from resnet_lesson import training
from resnet_lesson.studies import engine

folder = Path(sys.argv[1])
engine._pool = lambda scheduler: ThreadPoolExecutor(1)  # here, and not in other processes
engine.run(study(), folder / "studies")
short = dataclasses.replace(training.PRESETS["digits"], depth=8, epochs=1, warmup_epochs=0)
done = training.train(short, folder, verbose=False)
assert json.loads((folder / "record.json").read_bytes())["history"] == done.record["history"]
"""


def in_ascii(code, *arguments):
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", STRICT + code, *arguments],
        env=os.environ | plain | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        cwd=ROOT,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, os.fsdecode(done.stderr)


def test_all_can_be_imported_and_what_lies_in_the_package_is_read():
    in_ascii(EVERYTHING)


def test_a_training_and_a_study_run_in_a_folder_of_any_name(tmp_path):
    in_ascii(TRAINING, os.fsencode(tmp_path / "Übung 層"))
    names = {"checkpoint.npz", "log.csv", "model.weights.h5", "curves.png", "record.json"}
    assert {path.name for path in (tmp_path / "Übung 層").iterdir()} == {*names, "studies"}
