"""The lesson in a real JupyterLab: the first notebook runs, its explorer obeys the keys."""

import os
import re
import signal

import axe
import lab as jupyter
import pytest
from playwright.sync_api import expect
from test_page import CONTROLS, THEMES, WIDTHS, move, shown, unfold

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


def says(explorer, words, **how):
    """Wait until this is the network of the picture."""
    expect(shown(explorer)).to_have_attribute("aria-label", re.compile(words), **how)


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
    picture = explorer.locator(".picture")
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
        says(explorer, f"{expected} sigmoid layers", timeout=10_000)
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
    setTimeout(() => resolve("no answer of the kernel"), 60_000);
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
    unfold(explorer)
    expect(explorer.get_by_role("button", name="Draw other weights")).to_be_enabled(timeout=30_000)
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
    picture = explorer.locator(".picture")
    for control in CONTROLS:
        label, drawn = shown(explorer).get_attribute("aria-label"), picture.inner_html()
        keeps_the_focus = move(page, explorer, control)
        expect(shown(explorer)).not_to_have_attribute("aria-label", label, timeout=20_000)
        assert picture.inner_html() != drawn
        keeps_the_focus()
    explorer.get_by_role("button", name="Draw other weights").press("Enter")
    says(explorer, "draw 2", timeout=20_000)
    explorer.get_by_role("button", name="Keep this curve").press("Enter")
    unfold(explorer)
    expect(explorer.get_by_role("list", name="Kept curves")).to_contain_text("draw 2")
    # The traits are the controls: Python sees what was done, and its own word moves the control.
    seen = "print(explorer.depth, explorer.order, explorer.seed, len(explorer.pins))"
    settles(page, seen, "200 relu_only_preactivation 1 1")
    ask(page, "explorer.depth = 80")
    expect(explorer.get_by_role("slider", name="Depth")).to_have_value("80")
    says(explorer, "^80 ")
    assert "depth" in ask(page, "explorer.depth = 201")
    expect(explorer.get_by_role("slider", name="Depth")).to_have_value("80")
    explorer.get_by_role("button", name="remove").press("Enter")
    settles(page, "print(len(explorer.pins))", "0")
    assert complaints == []


def test_questions_and_guess_reach_the_kernel(laboratory):
    page, explorer, complaints = laboratory
    foot = explorer.get_by_role("group", name="Questions")
    foot.get_by_role("button", name="Walk through").focus()
    for _ in range(8):  # faster than the kernel answers
        page.keyboard.press("Enter")
    expect(explorer.locator(".title")).to_have_text(
        "And a shortcut with no batch normalisation at all?", timeout=30_000
    )
    says(explorer, "100 ReLU layers, He's weights, shortcuts, original order")
    kept = "print(explorer.question, *[pin['setting']['depth'] for pin in explorer.pins])"
    settles(page, kept, "8 50 50 50 50 50 100 100")
    labels = "print(*[len(pin['layers']) for pin in explorer.pins])"  # the kernel's own curves
    settles(page, labels, "50 50 50 50 50 100 100")
    foot.get_by_role("button", name="Back").press("Enter")
    settles(page, "print(explorer.question)", "7")
    explorer.get_by_role("button", name="Guess first").press("Enter")
    settles(page, "print(explorer.question)", "8")
    expect(explorer.locator(".curve.residual, .curve.kept")).to_have_count(0)
    for key in ("PageDown", "ArrowUp", "Tab", "ArrowUp"):
        page.keyboard.press(key)
    made = "print(explorer.guessing, explorer.guess['end'], explorer.guess['bend'])"
    settles(page, made, "True -4.5 0.5")
    explorer.get_by_role("button", name="Show what was measured").press("Enter")
    expect(explorer.locator(".miss")).to_contain_text("off")
    settles(page, "print(explorer.guessing)", "False")
    foot.get_by_role("button", name="Explore freely").first.press("Enter")
    ask(page, "explorer.guess, explorer.pins = {}, []")
    expect(explorer.locator(".curve")).to_have_count(1)
    assert complaints == []


def test_a_late_answer_is_not_taken_for_the_next_one(laboratory):
    page, explorer, complaints = laboratory
    foot = explorer.get_by_role("group", name="Questions")
    foot.get_by_role("button", name="Walk through").press("Enter")
    settles(page, "print(explorer.question)", "1")
    # While the page asks on, the kernel is still busy with an answer to what it was asked before.
    late = "import time\nwith explorer._lock:\n    time.sleep(1)\n    explorer.answers += 1"
    page.evaluate(f"() => void ({ASK})(`{late}`)")
    for _ in range(2):
        foot.get_by_role("button", name="Next:").press("Enter")
    settles(page, "print(explorer.question)", "3")
    activations = "print(*[pin['setting']['activation'] for pin in explorer.pins])"
    settles(page, activations, "sigmoid relu")
    foot.get_by_role("button", name="Explore freely").press("Enter")
    ask(page, "explorer.pins = []")
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
    says(explorer, "^120 ")
    answers = int(ask(page, "print(explorer.answers)"))
    assert answers - before <= 60
    page.wait_for_timeout(500)
    assert int(ask(page, "print(explorer.answers)")) == answers, "the kernel is still answering"
    assert complaints == []


def test_a_kernel_that_was_only_busy_takes_over_again(laboratory):
    page, explorer, complaints = laboratory
    ask(page, "from resnet_lesson.widgets.explorer.widget import FIRST")
    ask(page, "for name in FIRST: setattr(explorer, name, FIRST[name])")
    depth = explorer.get_by_role("slider", name="Depth")
    note = "Your browser computes this"
    says(explorer, "50 sigmoid")
    process = int(ask(page, "import os\nprint(os.getpid())"))
    os.kill(process, signal.SIGSTOP)
    try:
        depth.press("ArrowRight")
        expect(explorer).to_contain_text("computing", timeout=5_000)
        expect(explorer).to_contain_text(note, timeout=30_000)
        depth.press("End")
        says(explorer, "200 sigmoid.*draw 1 of your browser")
    finally:
        os.kill(process, signal.SIGCONT)
    expect(explorer).not_to_contain_text(note)
    settles(page, "print(explorer.depth, explorer.status.split()[0])", "200 200")
    depth.press("ArrowLeft")
    says(explorer, "199 sigmoid layers, Glorot's weights. ")  # whose draw is the kernel's
    assert complaints == []


EXPLORER = "GradientExplorer(depth=50)"
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"


def test_a_kernel_that_has_gone_is_said_to_be_gone(chromium, lab):
    jupyter.write_notebook(
        lab, "gone.ipynb", "from resnet_lesson import GradientExplorer", EXPLORER
    )
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    assert run_all(page, lab, "gone.ipynb")["errors"] == []
    explorer, saved = page.locator(".resnet-explorer"), page.locator(".lesson-saved")
    says(explorer, "^50 sigmoid")
    expect(saved).to_be_hidden()
    expect(page.locator(".jp-OutputArea img")).to_be_hidden()
    page.evaluate(RESTART)
    expect(explorer).to_contain_text("The kernel has stopped: run this cell again.")
    explorer.get_by_role("slider", name="Depth").press("End")  # from the curves that came along
    says(explorer, "^200 sigmoid")

    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    jupyter.open_notebook(page, lab, "gone.ipynb")  # the next day
    expect(saved).to_be_visible()
    expect(saved).to_contain_text("Run this cell")
    expect(page.locator(".jp-OutputArea img")).to_be_visible()
    expect(page.get_by_text("model not found")).to_be_hidden()
    assert run_all(page, lab, "gone.ipynb")["errors"] == []
    expect(saved).to_be_hidden()
    says(explorer, "^50 sigmoid")
    page.close()


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
