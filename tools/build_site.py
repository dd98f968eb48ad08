"""Export the notebooks that hold widgets as pages that work from a file: no kernel, no network.

``python tools/build_site.py`` writes them into site/, the first notebook as index.html; each is
whole in itself. The widgets are the notebooks' own, module and traits as they were saved with them.
"""

import base64
import html
import json
import posixpath
import re
from pathlib import Path

import links
import nbformat
from bs4 import BeautifulSoup
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from notebook_runs import STATE, VIEW

from resnet_lesson.files import atomic_write
from resnet_lesson.widgets.frontend import FOLDER, NOT_ALIVE

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
# The notebooks that become pages.
PAGES = {
    "01_vanishing_gradients": "index.html",
    "04_building_resnet": "04_building_resnet.html",
    "05_training": "05_training.html",
    "06_inside_a_trained_network": "06_inside_a_trained_network.html",
}
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · a lesson on residual networks</title>
<style>
{style}</style>
</head>
<body>
<header><p>This is <a href="{source}">a notebook of the lesson</a> as it was last run.
No kernel runs behind this page. Your browser computes the gradients of dense layers;
all else was computed beforehand.</p>
{others}</header>
<main>
{body}
</main>
<script type="application/json" id="widgets">{widgets}</script>
<script type="module">
{script}</script>
</body>
</html>
"""


def style():
    """The widgets' colours, light and dark, and what a page makes of them."""
    sheet = (FOLDER / "chart/elements.css").read_text(encoding="utf-8")
    colours = " ".join(re.findall(r"--\w[\w-]*: light-dark\([^)]*\);", sheet))
    page = (ROOT / "tools/page.css").read_text(encoding="utf-8")
    return f":root {{ color-scheme: light dark; {colours} }}\n{page}"


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


def live_widgets(notebook):
    """The saved traits of the widgets that are shown and bring their own module, by model.

    Raises:
        ValueError: there is none.
    """
    saved = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    shown = {model_id(output) for output in displays(notebook)}
    traits = {key: model["state"] for key, model in saved.items() if key in shown}
    live = {key: values for key, values in traits.items() if "_esm" in values}
    if not live:
        raise ValueError("the notebook holds no saved widget: run `make notebooks` first")
    return live


# Code, which stays as it is, or a formula.
FORMULA = re.compile(r"(?P<code>`[^`]*`)|\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\n]+)\$", re.DOTALL)


def set_formulas(notebook):
    """Write formulas in MathML, which a browser sets by itself."""

    def in_mathml(match):
        if match["code"]:
            return match["code"]
        display = "block" if match["block"] else "inline"
        return convert(match["block"] or match["inline"], display=display).replace("\n", " ")

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = FORMULA.sub(in_mathml, cell.source)


def describe_figures(notebook):
    """Give each figure the description that its cell has in its metadata."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "alt" in cell.metadata and "image/png" in output.get("data", {}):
                output.metadata["image/png"] = {"alt": cell.metadata["alt"]}


def place_widgets(notebook, widgets):
    """Put in each widget's place an element to mount it in; until then, its picture."""
    for output in displays(notebook):
        key = model_id(output)
        if key in widgets:
            words, picture = html.escape(output.data["text/plain"]), output.data.get("image/png")
            image = f'<img alt="{words}" src="data:image/png;base64,{picture}">'
            stand_in = image if picture else f"<p>{words}</p>"
            output.data = {"text/html": f'<div data-widget="{key}">{stand_in}</div>'}


def repository_link(target, folder):
    """A link of a notebook in ``folder``; into the repository where it was a relative one."""
    if re.match(r"[a-z]+:|#", target):
        return target
    path = posixpath.normpath(posixpath.join(folder, target))
    return f"https://github.com/{links.slug()}/blob/HEAD/{path}"


def embedded(picture):
    """A PNG file as an address that holds it. (nbconvert's own `embed_images` closes each tag of
    HTML in Markdown at once, and so empties what is folded.)"""
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"


def body(notebook, folder):
    exporter = HTMLExporter(
        template_name="basic",
        exclude_anchor_links=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    resources = {"metadata": {"path": str(ROOT / folder)}}
    soup = BeautifulSoup(exporter.from_notebook_node(notebook, resources)[0], "html.parser")
    for link in soup.select("a[href]"):
        link["href"] = repository_link(link["href"], folder)
    for image in soup.select('img:not([src^="data:"])'):
        image["src"] = embedded(ROOT / folder / image["src"])
    return soup


def page(notebook, name, others=""):
    """The page of a notebook, whose path in the repository is ``name``; ``others`` is HTML that
    leads to its neighbours."""
    gather(notebook)
    widgets = live_widgets(notebook)
    # A page that cannot run has no use for the set-up.
    notebook.cells = [cell for cell in notebook.cells if cell.source != links.setup_cell()]
    describe_figures(notebook)
    set_formulas(notebook)
    place_widgets(notebook, widgets)
    del notebook.metadata["widgets"]  # nbconvert would fetch ipywidgets' manager for them
    content = body(notebook, posixpath.dirname(name))
    return PAGE.format(
        title=html.escape(content.h1.get_text()),
        style=style(),
        source=repository_link(name, ""),
        others=others,
        body=content,
        # A "<" could end the script early.
        widgets=json.dumps(widgets).replace("<", "\\u003c"),
        script=(ROOT / "tools/page.js").read_text(encoding="utf-8"),
    )


def write(path, text):
    """All of the text or, where that fails, none."""
    path.parent.mkdir(exist_ok=True)
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")


def export(source, target, others=""):
    """Write the notebook's page to ``target``.

    Raises:
        ValueError: the notebook holds no widget; nothing is written.
    """
    try:
        text = page(nbformat.read(source, 4), f"notebooks/{source.name}", others)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    write(target, text)


def title(source):
    """The first heading of a notebook."""
    return nbformat.read(source, 4).cells[0].source.splitlines()[0].removeprefix("# ")


def neighbours(name):
    """Links to the other pages."""
    links = [
        f'<a href="{address}">{html.escape(title(NOTEBOOKS / f"{other}.ipynb"))}</a>'
        for other, address in PAGES.items()
        if other != name
    ]
    return f"<nav><p>Alive like this one: {', '.join(links)}.</p></nav>"


def main(folder=ROOT / "site"):
    for name, address in PAGES.items():
        export(NOTEBOOKS / f"{name}.ipynb", folder / address, neighbours(name))
        print(folder / address)


if __name__ == "__main__":
    main()
