"""A real JupyterLab and a real browser."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import browser as finder
import lab as jupyter


@pytest.fixture(scope="session")
def chromium():
    with finder.launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The address of a JupyterLab over a copy of the notebooks, its token, and the copy."""
    with jupyter.running(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture
def page_of_lesson(site):
    return site / "notebooks/01_vanishing_gradients.html"
