"""Execute notebooks in place: ``python tools/execute.py notebooks/*.ipynb``, or ``make notebooks``.

What a run leaves by chance, such as the random names of widgets, is made the same each time. So a
notebook that shows what it showed before is the same file, but for what a clock measured: a picture
in notebook 3, and how long two trainings took in notebook 5.
"""

import sys
import uuid
from pathlib import Path
from typing import Any

import nbformat
import notebook_runs
from notebook_runs import STATE, VIEW

REFERENCE = "IPY_MODEL_"  # with which a widget's state names another widget


def execute(path: Path) -> None:
    """Execute the notebook in its folder, and write it."""
    notebook = notebook_runs.run(path, path.parent)
    settle(notebook, path.name)
    nbformat.write(notebook, path)


def settle(notebook: Any, name: str) -> None:
    """Take out what differs between two runs: times, and the names and the order of widgets."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    states = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    shown = [data for data in _outputs(notebook) if VIEW in data]
    order = _in_order(states, [data[VIEW]["model_id"] for data in shown])
    names = {
        old: uuid.uuid5(uuid.NAMESPACE_URL, f"{name}#{number}").hex
        for number, old in enumerate(order)
    }
    for data in shown:
        data[VIEW]["model_id"] = names[data[VIEW]["model_id"]]
    if states:
        renamed = {names[old]: _renamed(states[old], names) for old in order}
        notebook.metadata["widgets"][STATE]["state"] = renamed


def _outputs(notebook: Any) -> list[Any]:
    """The data of all outputs, in order."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output.get("data", {}) for cell in cells for output in cell.outputs]


def _in_order(states: Any, shown: list[str]) -> list[str]:
    """All widgets that are shown, and those that these name, each once; no others."""
    order, waiting = [], list(shown)
    while waiting:
        if (widget := waiting.pop(0)) in states and widget not in order:
            order.append(widget)
            waiting[:0] = _referred(states[widget])
    return order


def _referred(value: Any) -> list[str]:
    """The names of the widgets in a state, in the order of its keys."""
    if isinstance(value, str):
        return [value.removeprefix(REFERENCE)] if value.startswith(REFERENCE) else []
    if isinstance(value, dict):
        return [name for key in sorted(value) for name in _referred(value[key])]
    return [name for each in value for name in _referred(each)] if isinstance(value, list) else []


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """The state, with the new names of the widgets in it, and its keys sorted."""
    if isinstance(value, str) and value.startswith(REFERENCE):
        return REFERENCE + names[value.removeprefix(REFERENCE)]
    if isinstance(value, dict):
        return {key: _renamed(value[key], names) for key in sorted(value)}
    return [_renamed(each, names) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        execute(Path(argument))
        print(argument)
