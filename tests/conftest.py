"""For all rooms of tests; pytest puts this folder on the path, where they find ``toy_study``."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

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
def site(tmp_path_factory, worker_id):
    """The folder of all pages, as ``make site`` builds them: once for all workers."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "site"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            command = [sys.executable, Path(__file__).parents[1] / "tools/build_site.py", folder]
            subprocess.run(command, check=True)
    return folder
