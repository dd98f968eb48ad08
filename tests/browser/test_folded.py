"""In JupyterLab no answer is on screen before its cell was run, and no check at all."""

import lab as jupyter
import nbformat
import pytest
from playwright.sync_api import expect
from test_notebooks import CHECKS, GUESS

CELLS = [
    ("answer", "print('the answer')", GUESS, "the answer\n"),
    ("checks", "# @title Checks\nassert 'a check'", CHECKS, ""),
]
RUN = "() => window.jupyterapp.commands.execute('notebook:run-cell')"


@pytest.fixture(scope="module")
def opened(chromium, lab):
    """A notebook that was committed executed, as a learner opens it."""
    cells = []
    for name, source, metadata, text in CELLS:
        outputs = [nbformat.v4.new_output("stream", text=text)] if text else []
        written = {"id": name, "metadata": metadata, "outputs": outputs, "execution_count": 1}
        cells.append(nbformat.v4.new_code_cell(source, **written))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, lab[2] / "folded.ipynb")
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    jupyter.open_notebook(page, lab, "folded.ipynb")
    yield page
    page.close()


def test_an_answer_is_seen_when_its_cell_was_run(opened):
    answer = opened.locator(".jp-CodeCell").first
    expect(answer.locator(".jp-InputArea-editor")).to_contain_text("print")
    output = answer.locator(".jp-OutputArea-output")
    expect(output).to_have_count(0)
    answer.locator(".jp-InputArea-editor").click()
    opened.evaluate(RUN)
    expect(output).to_be_visible()
    expect(output).to_have_text("the answer\n")


def test_checks_are_a_line_that_opens(opened):
    checks = opened.locator(".jp-CodeCell").nth(1)
    expect(checks.locator(".jp-InputPlaceholder")).to_be_visible()
    expect(checks.get_by_text("a check")).to_have_count(0)
    checks.locator(".jp-InputPlaceholder").click()
    expect(checks.get_by_text("a check")).to_be_visible()
