"""Executing a notebook that has not changed changes nothing in its file."""

import execute
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

SHOWN = """import ipywidgets
from resnet_lesson import ArchitectureBuilder
ipywidgets.IntSlider()  # made, and not shown
ipywidgets.HBox([ipywidgets.Label("a"), ipywidgets.Label("b")])"""


@pytest.mark.slow
def test_a_second_run_changes_nothing(tmp_path):
    path = tmp_path / "shown.ipynb"
    cells = [
        new_code_cell(source, id=f"cell-{source[0]}") for source in (SHOWN, "ArchitectureBuilder()")
    ]
    cells[0].metadata["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00Z"}
    nbformat.write(new_notebook(cells=cells), path)
    execute.execute(path)
    once = path.read_text(encoding="utf-8")
    execute.execute(path)
    assert path.read_text(encoding="utf-8") == once
    assert "2026" not in once


def test_names_stay_those_of_one_widget_and_what_nobody_sees_goes():
    def state(**traits):
        return {"model_name": "AnyModel", "state": traits}

    states = {
        "3": state(width="1px"),
        "1": state(layout="IPY_MODEL_3", children=["IPY_MODEL_2", "IPY_MODEL_2"]),
        "2": state(layout="IPY_MODEL_3"),
        "unseen": state(),
    }
    view = {
        "output_type": "display_data",
        "data": {execute.VIEW: {"model_id": "1"}},
        "metadata": {},
    }
    notebook = new_notebook(cells=[new_code_cell("a", outputs=[nbformat.from_dict(view)])])
    notebook.metadata["widgets"] = nbformat.from_dict({execute.STATE: {"state": states}})
    execute.settle(notebook, "a.ipynb")
    left = notebook.metadata["widgets"][execute.STATE]["state"]
    assert len(left) == 3
    shown = left[notebook.cells[0].outputs[0].data[execute.VIEW]["model_id"]]["state"]
    first, second = (name.removeprefix(execute.REFERENCE) for name in shown["children"])
    assert first == second
    assert left[first]["state"]["layout"] == shown["layout"]
