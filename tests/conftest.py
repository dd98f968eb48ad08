"""For all rooms of tests; pytest puts this folder on the path, where they find ``toy_study``."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Tests run two at a time on small machines, where more threads for NumPy's small products only
# wait for each other: twenty times longer.
assert "numpy" not in sys.modules, "NumPy reads this when it is imported"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="module", autouse=True)
def what_stays_is_not_looked_through():
    """What is there before a file's tests stays: the collector need not walk through it each time.

    There are a million objects of TensorFlow's alone, which cost networks that are built and
    traced a quarter of their time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of all pages, as ``make site`` builds them."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, Path(__file__).parents[1] / "tools/build_site.py", folder]
    subprocess.run(command, check=True)
    return folder
