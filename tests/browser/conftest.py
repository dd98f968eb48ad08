"""A real JupyterLab and a real browser."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import browser as finder
import lab as jupyter


@pytest.fixture(scope="session")
def chromium():
    path = finder.find()
    assert path, "no Chromium or Chrome: run make browser"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=jupyter.FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The address of a JupyterLab over a copy of the notebooks, its token, and the copy."""
    with jupyter.running(tmp_path_factory.mktemp("lab")) as started:
        yield started
