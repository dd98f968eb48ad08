"""Figures do not pile up, and none is lost or seen twice."""

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from resnet_lesson import plots

MOST = plt.rcParams["figure.max_open_warning"]


def draw():
    return plots.heat_map(np.ones((2, 3)), np.arange(3), ["first", "last"])


@pytest.fixture(autouse=True)
def closed():
    plt.close("all")
    yield
    plt.close("all")


def test_of_figures_drawn_in_a_loop_the_newest_stay_open_and_the_oldest_can_be_saved():
    own = plt.figure()
    drawn = [draw() for _ in range(3 * MOST)]  # a warning of matplotlib's would be an error
    shown = [plt.figure(number) for number in plt.get_fignums()]
    assert shown == [own, *(ax.figure for ax in drawn[1 - MOST :])]
    assert plots.png(drawn[0]).startswith(b"\x89PNG")


def test_who_allows_more_has_more(recwarn):
    with plt.rc_context({"figure.max_open_warning": 0}):  # none is too many
        for _ in range(MOST + 1):
            draw()
        assert len(plt.get_fignums()) == MOST + 1
    assert not recwarn.list


def test_where_windows_are_in_sight_all_of_them_stay():
    with plt.ion():
        for _ in range(MOST):
            draw()
        with pytest.warns(RuntimeWarning, match=f"More than {MOST} figures"):
            draw()
    assert len(plt.get_fignums()) == MOST + 1


CELLS = """
import numpy as np
from resnet_lesson import plots
def draw(title):
    return plots.gradient_curves({"a": np.ones(3)}, title=title)
draw("before");
---
import matplotlib.pyplot as plt
for number in range(%d):
    draw(f"{number}")
---
plt.get_fignums()
"""


@pytest.mark.slow
def test_a_notebook_shows_each_figure_once():
    count = MOST + 3
    sources = (CELLS % count).strip().split("\n---\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in sources])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    NotebookClient(notebook, timeout=120).execute()
    first, loop, left = (cell.outputs for cell in notebook.cells)
    assert [output.output_type for output in first] == ["display_data"]
    assert [output.output_type for output in loop] == ["display_data"] * count  # and no warning
    assert len({output.data["image/png"] for output in loop}) == count
    assert left[0].data["text/plain"] == "[]"
