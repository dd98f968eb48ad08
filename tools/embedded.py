"""A notebook as a page that embeds its widgets, as front ends do that are not Jupyter's own.

There html-manager, of ipywidgets, makes the widgets from the state that was saved with the
notebook, and fetches anywidget's module from a network. Here it gets all from this machine.
"""

import contextlib
import re
import sys
from pathlib import Path

import playwright.sync_api
from nbconvert import HTMLExporter
from notebook_runs import VIEW

ROOT = Path(__file__).parent.parent
MODULES = ROOT / "node_modules"
ANYWIDGET = "share/jupyter/nbextensions/anywidget/index.js"
WAIT = 10_000  # ms
ADDRESS = "http://lesson.test/"  # of the page: html-manager looks beside it first
MANAGER = re.compile(r"^https://[^/]+/(?:npm/)?@jupyter-widgets/html-manager@[^/]*/dist/([\w.-]+)$")


@contextlib.contextmanager
def opened(browser, notebook, major, prefix=sys.prefix):
    """The page of an executed notebook in ``browser``, and what went wrong so far.

    Args:
        browser: Playwright's.
        notebook: as nbformat has it.
        major: the version of ipywidgets whose html-manager draws, 7 or 8.
        prefix: the environment whose anywidget draws.
    """
    wrong = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    text = HTMLExporter().from_notebook_node(notebook)[0]
    page.route("**/*", lambda route: answer(route, text, major, Path(prefix), wrong))
    try:
        page.goto(ADDRESS)
        yield page, wrong
    finally:
        context.close()


def answer(route, text, major, prefix, wrong):
    """Give what the page asks for: itself, its libraries, and nothing from elsewhere."""
    url = route.request.url
    if url == ADDRESS:
        route.fulfill(body=text, content_type="text/html; charset=utf-8")
    elif (found := file(url, major, prefix)) and found.is_file():
        route.fulfill(path=found)
    else:
        # Formulas and diagrams, and what html-manager first looks for beside the page.
        if not url.startswith(ADDRESS) and not re.search("mathjax|mermaid|jquery", url, re.I):
            wrong.append(f"the page asks for {url}")
        route.abort()


def file(url, major, prefix):
    """The file of this machine that stands for an address; None if there is none."""
    if url.endswith("/require.min.js"):
        return MODULES / "requirejs/require.js"
    if asked := MANAGER.match(url):
        return MODULES / f"html-manager-{major}/dist" / asked[1]
    if re.match(r"https://[^/]+/(npm/)?anywidget@[^/]+/dist/index\.js$", url):
        return prefix / ANYWIDGET
    return None


def check(browser, notebook, major, prefix=sys.prefix):
    """See that each widget of the notebook is drawn, and answers its reader.

    Raises:
        ValueError: one is not, or something went wrong in the page.
    """
    with opened(browser, notebook, major, prefix) as (page, wrong):
        widgets = page.locator("[class^='resnet-']:not([class^='resnet-'] *)")
        try:
            for number in range(count(notebook)):
                widget = widgets.nth(number)
                drawn = widget.locator("svg:visible, canvas:visible, .wire:visible")
                drawn.first.wait_for(timeout=WAIT)
                act(widget)
        except playwright.sync_api.Error as error:
            wrong.append(str(error))
        if page.locator(".lesson-saved").locator("visible=true").count():
            wrong.append("a widget that is alive has a still picture above it")
        if widgets.count() != count(notebook):
            wrong.append(f"{count(notebook)} widgets are saved, {widgets.count()} drawn")
        if wrong:
            raise ValueError("\n".join(wrong))


def act(widget):
    """Move the depth of an explorer, or press the first button of another; something must change.

    Raises:
        playwright.sync_api.Error: nothing does, or there is neither.
    """
    before = widget.inner_html()
    depth = widget.get_by_role("slider", name="Depth")
    if depth.count():
        depth.press("End")
    else:
        widget.locator("button:visible:enabled").first.click()
    widget.page.wait_for_function(
        "([element, before]) => element.innerHTML !== before",
        arg=[widget.element_handle(), before],
        timeout=WAIT,
    )


def count(notebook):
    """How many outputs are widgets."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return sum(VIEW in output.get("data", {}) for cell in cells for output in cell.outputs)
