"""A real browser, for the widgets."""

import browser as finder
import pytest


@pytest.fixture(scope="session")
def chromium():
    with finder.launched() as browser:
        yield browser
