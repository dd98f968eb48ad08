"""For all rooms of tests; pytest puts this folder on the path, where they find ``toy_study``."""

import gc
import os
import sys

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
