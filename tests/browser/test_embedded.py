"""Notebooks in front ends that are not Jupyter's own, such as VS Code: its renderer takes from an
output what html-manager takes, the saved state or the picture."""

from pathlib import Path

import embedded
import nbformat
import pytest
from notebook_runs import VIEW

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))


def read(path):
    return nbformat.read(path, nbformat.current_nbformat)


WITH_WIDGETS = [path for path in NOTEBOOKS if embedded.count(read(path))]


@pytest.mark.parametrize("path", WITH_WIDGETS, ids=lambda path: path.stem)
def test_saved_widgets_are_alive_without_a_kernel(chromium, path):
    embedded.check(chromium, read(path), 8)


def test_a_widget_that_cannot_be_drawn_is_seen(chromium, tmp_path):
    with pytest.raises(ValueError, match="Timeout"):
        embedded.check(chromium, read(WITH_WIDGETS[0]), 8, prefix=tmp_path)


def test_a_page_that_asks_for_more_is_seen(chromium):
    notebook = read(WITH_WIDGETS[0])
    script = "<script src='https://example.org/more.js'></script>"
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell(script))
    with pytest.raises(ValueError, match=r"asks for https://example\.org/more\.js"):
        embedded.check(chromium, notebook, 8)


@pytest.mark.parametrize("path", WITH_WIDGETS, ids=lambda path: path.stem)
def test_every_widget_carries_what_a_front_end_without_widgets_shows(path):
    """Words, and a picture in an output of its own: GitHub's view, and a page without scripts."""
    for cell in read(path).cells:
        outputs = cell.get("outputs", [])
        for number, output in enumerate(outputs):
            if VIEW in output.get("data", {}):
                assert len(output.data["text/plain"]) > 40
                line, picture = outputs[number - 2 : number]
                assert "still picture" in line.data["text/html"]
                assert len(picture.data["image/png"]) > 5_000
