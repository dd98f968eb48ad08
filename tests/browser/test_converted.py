"""A notebook as a page of nbconvert's, opened without a network: no widget's place is empty."""

from pathlib import Path

import embedded
import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import expect
from test_page import opened

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))


def widgets(path):
    """How many outputs of the notebook are widgets."""
    return embedded.count(nbformat.read(path, as_version=4))


@pytest.mark.parametrize("path", list(filter(widgets, NOTEBOOKS)), ids=lambda path: path.stem)
def test_each_widget_has_a_line_and_a_picture(chromium, tmp_path, path):
    page_file = tmp_path / "page.html"
    page_file.write_text(HTMLExporter().from_filename(str(path))[0], encoding="utf-8")
    with opened(chromium, page_file) as (page, _):
        line = ".jp-OutputArea-child:has(.lesson-saved)"
        lines, pictures = page.locator(line), page.locator(f"{line} + .jp-OutputArea-child img")
        for each in (lines, pictures):
            expect(each).to_have_count(widgets(path))
        for line, picture in zip(lines.all(), pictures.all(), strict=True):
            expect(line).to_contain_text("Run this cell")
            expect(picture).to_be_visible()
            assert picture.bounding_box()["height"] > 100
