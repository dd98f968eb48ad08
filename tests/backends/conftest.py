"""TensorFlow's norms, for the other backends to agree with."""

import json
import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """By case, TensorFlow's ``KernelNorms`` as lists."""
    file = tmp_path_factory.mktemp("reference") / "norms.json"
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(ROOT)}
    # In the environment of the lesson, as that of the other backends has no TensorFlow.
    command = [ROOT / ".venv/bin/python", HERE / "reference.py", file]
    subprocess.run(command, env=environment, check=True, timeout=240)
    return json.loads(file.read_text(encoding="utf-8"))
