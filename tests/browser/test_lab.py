"""The lesson in a real JupyterLab: the first notebook runs, its explorer obeys the keys."""

import lab as jupyter
import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

CLEAR = "() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"
# A kernel that dies would leave the command waiting for ever.
RUN_ALL = """() => Promise.race([
    window.jupyterapp.commands.execute('notebook:run-all-cells'),
    new Promise((_, fail) => setTimeout(() => fail(new Error('still running')), 180_000)),
])"""
OUTCOME = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
    const code = cells.filter(cell => cell.cell_type === 'code');
    return {
        executed: code.filter(cell => cell.execution_count !== null).length,
        total: code.length,
        errors: code.flatMap(cell => cell.outputs)
            .filter(output => output.output_type === 'error').map(output => output.ename),
    };
}"""


def run_all(page, lab, name):
    """Open the notebook, run every cell, and return how that ended."""
    jupyter.open_notebook(page, lab, name)
    page.evaluate(CLEAR)  # what is seen then comes from this kernel
    page.evaluate(RUN_ALL)
    return page.evaluate(OUTCOME)


def test_first_notebook_runs_and_its_explorer_obeys_the_keys(chromium, lab, tmp_path):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    outcome = run_all(page, lab, "01_vanishing_gradients.ipynb")
    assert outcome["errors"] == []
    assert outcome["executed"] == outcome["total"] > 3

    explorer = page.locator(".resnet-explorer:visible").first
    explorer.scroll_into_view_if_needed()
    depth = explorer.get_by_label("Depth", exact=True)
    picture, status = explorer.locator("svg"), explorer.locator("[role=status]")
    # A picture of SVG's own namespace: another one holds the same text and shows nothing.
    assert picture.bounding_box()["height"] > 100
    assert picture.locator("rect.layer").last.bounding_box()["height"] > 5
    depth.focus()
    layers = int(depth.input_value())
    # Real keys: JupyterLab has shortcuts on the arrows, and must leave these to the slider.
    for key, expected in (("ArrowRight", layers + 1), ("ArrowLeft", layers), ("End", 200)):
        drawn = picture.inner_html()
        page.keyboard.press(key)
        expect(status).to_contain_text(f"{expected} sigmoid layers", timeout=10_000)
        assert picture.inner_html() != drawn
        expect(depth).to_be_focused()
    assert complaints == []
    page.screenshot(path=tmp_path / "explorer.png")
    page.close()


def test_a_failing_notebook_is_seen_to_fail(chromium, lab):
    cells = [new_code_cell("1 / 0")]
    # Without a kernel's name JupyterLab would ask for one.
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), lab[2] / "failing.ipynb")
    page = chromium.new_page()
    assert run_all(page, lab, "failing.ipynb")["errors"] == ["ZeroDivisionError"]
    page.close()
