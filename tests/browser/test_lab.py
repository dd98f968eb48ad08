"""The lesson in a real JupyterLab: the first notebook runs, its explorer obeys the keys."""

import os
import signal

import axe
import lab as jupyter
import pytest
from playwright.sync_api import expect
from test_page import CONTROLS, THEMES, WIDTHS

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


def complaints_of(page):
    """The list of errors that the page will have met."""
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    return complaints


def show_as(page, theme, width, height):
    """JupyterLab in this theme and size of window; the side bar makes room in a narrow one."""
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {theme.title()}",
    )
    expect(page.locator("body")).to_have_attribute(
        "data-jp-theme-light", "true" if theme == "light" else "false"
    )
    page.set_viewport_size({"width": width, "height": height})
    if width < 800 and page.locator("#jp-left-stack").is_visible():
        page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")


def run_all(page, lab, name):
    """Open the notebook, run every cell, and return how that ended."""
    jupyter.open_notebook(page, lab, name)
    page.evaluate(CLEAR)  # what is seen then comes from this kernel
    page.evaluate(RUN_ALL)
    return page.evaluate(OUTCOME)


def test_first_notebook_runs_and_its_explorer_obeys_the_keys(chromium, lab, tmp_path):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    complaints = complaints_of(page)
    outcome = run_all(page, lab, "01_vanishing_gradients.ipynb")
    assert outcome["errors"] == []
    assert outcome["executed"] == outcome["total"] > 3

    # The first explorer waits for a guess, and so does the last, an exercise's.
    explorer = page.locator(".resnet-explorer:visible").nth(1)
    explorer.scroll_into_view_if_needed()
    depth = explorer.get_by_label("Depth", exact=True)
    picture, status = explorer.locator(".picture"), explorer.locator("[role=status]")
    # A picture of SVG's own namespace: another one holds the same text and shows nothing.
    assert picture.bounding_box()["height"] > 100
    # Asked in one go: the picture is drawn anew as it finds its width, and a part may be gone.
    height = "el => [...el.querySelectorAll('path.layers')].at(-1).getBoundingClientRect().height"
    assert picture.evaluate(height) > 5
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


ASK = """code => new Promise(resolve => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const asked = kernel.requestExecute({ code });
    let said = "";
    asked.onIOPub = ({ content }) => { said += content.text ?? content.evalue ?? ""; };
    asked.done.then(() => resolve(said.trim()));
})"""


@pytest.fixture(scope="module")
def laboratory(chromium, lab):
    """A page with an explorer over a kernel with its engine loaded, and the page's complaints."""
    sources = [
        "from resnet_lesson import GradientExplorer, stack_gradients",
        "stack_gradients(3)\nexplorer = GradientExplorer(depth=100)\nexplorer",
    ]
    jupyter.write_notebook(lab, "explorer.ipynb", *sources)
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    complaints = complaints_of(page)
    assert run_all(page, lab, "explorer.ipynb")["errors"] == []
    explorer = page.locator(".resnet-explorer")
    explorer.locator("summary").press("Enter")
    expect(explorer.get_by_role("button", name="Redraw weights")).to_be_enabled(timeout=30_000)
    yield page, explorer, complaints
    page.close()


def ask(page, code):
    """What the notebook's kernel prints."""
    return page.evaluate(ASK, code)


def settles(page, code, expected):
    """Wait until the kernel prints this: it hears of a change a moment after the browser."""
    for _ in range(50):
        if ask(page, code) == expected:
            return
        page.wait_for_timeout(100)
    assert ask(page, code) == expected


def test_every_control_obeys_its_keys_and_keeps_the_focus(laboratory):
    page, explorer, complaints = laboratory
    ask(page, "explorer.depth, explorer.activation = 100, 'sigmoid'")
    status, picture = explorer.locator("[role=status]"), explorer.locator(".picture")
    for role, name, key in CONTROLS:
        words, drawn = status.inner_text(), picture.inner_html()
        control = explorer.get_by_role(role, name=name, exact=True)
        control.focus()
        page.keyboard.press(key)
        expect(status).not_to_have_text(words, timeout=20_000)
        assert picture.inner_html() != drawn
        expect(control).to_be_focused()
    for name, shown in (("Redraw weights", "draw 2"), ("Pin this curve", "remove")):
        explorer.get_by_role("button", name=name).press("Enter")
        expect(explorer).to_contain_text(shown, timeout=20_000)
    # The traits are the controls: Python sees what was done, and its own word moves the control.
    seen = "print(explorer.depth, explorer.order, explorer.seed, len(explorer.pins))"
    settles(page, seen, "200 relu_only_preactivation 1 1")
    ask(page, "explorer.depth = 80")
    expect(explorer.get_by_role("slider", name="Depth")).to_have_value("80")
    expect(status).to_contain_text("80 ")
    assert "depth" in ask(page, "explorer.depth = 201")
    expect(explorer.get_by_role("slider", name="Depth")).to_have_value("80")
    explorer.get_by_role("button", name="remove").press("Enter")
    expect(explorer.get_by_role("listitem")).to_have_count(0)
    assert complaints == []


def test_questions_and_guess_reach_the_kernel(laboratory):
    page, explorer, complaints = laboratory
    status = explorer.locator("[role=status]")
    questions = explorer.get_by_role("group", name="Questions").get_by_role("button")
    for count in range(questions.count()):
        questions.nth(count).press("Enter")
        expect(explorer.get_by_role("listitem")).to_have_count(count, timeout=20_000)
    expect(explorer.get_by_role("combobox", name="Order")).to_have_value("bn_after_addition")
    expect(status).to_contain_text("50 relu layers, he weights, BN, shortcuts, bn after addition")
    settles(page, "print(explorer.order, len(explorer.pins))", "bn_after_addition 7")
    explorer.get_by_role("button", name="Guess first").press("Enter")
    expect(explorer.locator(".curve-now")).to_have_count(0)
    for key in ("PageDown", "ArrowUp", "Tab", "ArrowUp"):
        page.keyboard.press(key)
    made = "print(explorer.guessing, explorer.guess['end'], explorer.guess['bend'])"
    settles(page, made, "True -4.5 0.5")
    explorer.get_by_role("button", name="Show what was measured").press("Enter")
    expect(status).to_contain_text("decades off at the first layer")
    settles(page, "print(explorer.guessing)", "False")
    ask(page, "explorer.pins, explorer.guess = [], {}")
    expect(explorer.locator(".curve")).to_have_count(1)
    assert complaints == []


def test_a_held_key_leaves_no_backlog(laboratory):
    page, explorer, complaints = laboratory
    ask(page, "explorer.depth = 60")
    depth = explorer.get_by_role("slider", name="Depth")
    expect(depth).to_have_value("60")
    depth.focus()
    before = int(ask(page, "print(explorer.answers)"))
    for _ in range(60):
        page.keyboard.down("ArrowRight")  # again without its release: a key that is held
    page.keyboard.up("ArrowRight")
    expect(explorer.locator("[role=status]")).to_contain_text("120 ")
    answers = int(ask(page, "print(explorer.answers)"))
    assert answers - before <= 60
    page.wait_for_timeout(500)
    assert int(ask(page, "print(explorer.answers)")) == answers, "the kernel is still answering"
    assert complaints == []


def test_a_kernel_that_was_only_busy_takes_over_again(laboratory):
    page, explorer, complaints = laboratory
    ask(page, "from resnet_lesson.widgets.explorer.widget import FIRST")
    ask(page, "for name in FIRST: setattr(explorer, name, FIRST[name])")
    depth, status = explorer.get_by_role("slider", name="Depth"), explorer.locator("[role=status]")
    redraw = explorer.get_by_role("button", name="Redraw weights")
    expect(status).to_contain_text("50 sigmoid")
    process = int(ask(page, "import os\nprint(os.getpid())"))
    os.kill(process, signal.SIGSTOP)
    try:
        depth.press("ArrowRight")
        expect(explorer.locator(".note")).to_contain_text("No kernel answers", timeout=30_000)
        expect(redraw).to_be_disabled()
        depth.press("End")  # in the grid, which holds a few depths only
        expect(status).to_contain_text("200 sigmoid")
    finally:
        os.kill(process, signal.SIGCONT)
    expect(redraw).to_be_enabled()
    expect(explorer.locator(".note")).to_be_empty()
    settles(page, "print(explorer.depth, explorer.status.split()[0])", "200 200")
    depth.press("ArrowLeft")  # not in the grid
    expect(status).to_contain_text("199 sigmoid")
    assert complaints == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_keeps_nobody_out_in_jupyterlab(laboratory, theme, width):
    page, explorer, complaints = laboratory
    show_as(page, theme, width, 800)
    explorer.scroll_into_view_if_needed()
    assert axe.violations(page, ".resnet-explorer") == []
    room = explorer.evaluate("el => [el.scrollWidth, el.clientWidth]")
    assert room[0] <= room[1], "it scrolls sideways"
    # Letters keep their size: a unit of the picture is a pixel.
    box, view = explorer.locator(".picture").bounding_box(), explorer.locator(".picture")
    assert abs(float(view.get_attribute("viewBox").split()[2]) - box["width"]) <= 2
    assert complaints == []


def test_axe_sees_a_planted_violation(laboratory):
    page, explorer, _ = laboratory
    explorer.evaluate("el => el.append(document.createElement('button'))")
    assert [line.split(":")[0] for line in axe.violations(page, ".resnet-explorer")] == [
        "button-name"
    ]
    explorer.evaluate("el => el.lastChild.remove()")


def test_a_failing_notebook_is_seen_to_fail(chromium, lab):
    jupyter.write_notebook(lab, "failing.ipynb", "1 / 0")
    page = chromium.new_page()
    assert run_all(page, lab, "failing.ipynb")["errors"] == ["ZeroDivisionError"]
    page.close()
