"""For all rooms of tests; pytest puts this folder on the path, where they find ``toy_study``."""

import gc
import os
import sys

import pytest

# Tests run two at a time on small machines, where more threads for NumPy's small products only
# wait for each other: twenty times longer.
assert "numpy" not in sys.modules, "NumPy reads this when it is imported"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """What is imported stays: the collector need not walk through TensorFlow's objects each time.

    There are a million of them, which cost networks that are built and traced a quarter of their
    time.
    """
    gc.collect()
    gc.freeze()
