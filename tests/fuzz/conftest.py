"""A real browser, for the widgets."""

import browser as finder
import pytest


@pytest.fixture(scope="module")  # no longer: Playwright's loop runs in this thread
def chromium():
    with finder.launched() as browser:
        yield browser
