"""A notebook as a page: what a reader without a kernel sees, without what only a kernel needs."""

import html
import importlib
import re

import links
import nbformat
from notebook_runs import STATE, VIEW

from resnet_lesson.widgets.frontend import NOT_ALIVE

from . import launch, widgets

CHECK = re.compile(r"exercises\.(\w+)\.check\(")
MODULE = re.compile(r"from resnet_lesson\.exercises import (\w+) as exercises")


def displays(notebook):
    """The outputs that show something, with each kind of data they carry."""
    every = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output for output in every if "data" in output]


def model_id(output):
    return output.data.get(VIEW, {}).get("model_id")


def gather(notebook):
    """Give each widget's output its picture back, which stands in front of it with a line that
    speaks of a kernel (`resnet_lesson.widgets.frontend`)."""
    for cell in notebook.cells:
        outputs, front = cell.get("outputs", []), []
        for at, output in enumerate(outputs):
            if output.get("data", {}).get("text/html") == NOT_ALIVE:
                front += outputs[at : at + 2]
                outputs[at + 2].data["image/png"] = outputs[at + 1].data["image/png"]
        cell["outputs"] = [output for output in outputs if output not in front]


def saved_traits(notebook):
    """The traits of the widgets that are shown, by model.

    Raises:
        ValueError: a widget is shown whose traits were not saved.
    """
    saved = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    shown = {model_id(output) for output in displays(notebook)} - {None}
    if not shown <= saved.keys():
        raise ValueError("the notebook must hold the traits of its widgets: run `make notebooks`")
    return {key: saved[key]["state"] for key in shown}


def place_widgets(notebook, static):
    """Put in each widget's place an element to mount it in; until then, its picture."""
    traits, count = saved_traits(notebook), 0
    for output in displays(notebook):
        if key := model_id(output):
            count += 1
            words = output.data["text/plain"]
            kind = widgets.KINDS[traits[key]["_anywidget_id"].rpartition(".")[2]]
            stand_in = widgets.picture(words, output.data.get("image/png"))
            text = widgets.element(
                kind, traits[key], stand_in, static, "../_static", f"{kind}-{count}"
            )
            output.data = {"text/html": text}
    notebook.metadata.pop("widgets", None)  # Sphinx would fetch ipywidgets' manager for them


def describe_figures(notebook):
    """Give each figure the description that its cell has in its metadata."""
    for cell in notebook.cells:
        if "alt" in cell.metadata:
            cell.metadata["mystnb"] = {"image": {"alt": cell.metadata["alt"]}}


def fold(notebook):
    """What JupyterLab folds opens by a click here, too; so does what a guess comes before."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "guess" in tags and not any("data-widget" in text for text in htmls(cell)):
            cell.metadata["tags"] = [*tags, "hide-output"]
        if {"folded", "checks"} & set(tags):
            cell.metadata["tags"] = [*cell.metadata["tags"], "hide-input"]


def htmls(cell):
    return [output.get("data", {}).get("text/html", "") for output in cell.get("outputs", [])]


def exercises_of(notebook):
    """The exercises that answer in this notebook."""
    (name,) = {name for cell in notebook.cells for name in MODULE.findall(cell.source)}
    return importlib.import_module(f"resnet_lesson.exercises.{name}")


def explain_checks(notebook, name):
    """In the place of a check's verdict: that it needs a kernel, and where to find one; and the
    hints and the solution, which need none."""
    for cell in notebook.cells:
        found = CHECK.findall(cell.source) if cell.cell_type == "code" else []
        if found:
            exercise = getattr(exercises_of(notebook), found[-1])
            text = f"{launch.needs_kernel(name)}{helps(exercise)}"
            cell["outputs"] = [nbformat.v4.new_output("display_data", data={"text/html": text})]


def helps(exercise):
    folds = [(f"Hint {at}", paragraph(hint)) for at, hint in enumerate(exercise.hints, 1)]
    code = f"<pre><code>{html.escape(exercise.solution_code())}</code></pre>"
    return "".join(
        f"<details><summary>{title}</summary>{text}</details>"
        for title, text in [*folds, ("One solution", code)]
    )


def paragraph(words):
    with_code = re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(words))
    return f"<p>{with_code}</p>"


def head(notebook, name):
    """Say under the title what this page is, and where its notebook can be run."""
    title, _, rest = notebook.cells[0].source.partition("\n")
    has_widgets = any("data-widget" in text for cell in notebook.cells for text in htmls(cell))
    moves = "You can move every widget, for your browser computes. " if has_widgets else ""
    what = (
        f'<p class="what">This page is a notebook as it was last run. {moves}Where the text says '
        "<em>run the cell</em>, open what is folded below the cell. To run code of your own, open "
        f"the notebook in {launch.buttons(name)}</p>"
    )
    notebook.cells[0].source = f"{title}\n\n{what}\n{rest}"


def page(notebook, name, static):
    """The notebook of this file name as the source of its page; ``static`` takes the traits.

    Raises:
        ValueError: the notebook has not been executed.
    """
    gather(notebook)
    notebook.cells = [cell for cell in notebook.cells if cell.source != links.setup_cell()]
    place_widgets(notebook, static)
    describe_figures(notebook)
    fold(notebook)
    explain_checks(notebook, name)
    head(notebook, name)
    return notebook
