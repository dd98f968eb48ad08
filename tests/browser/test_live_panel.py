"""The training panel in a real browser: beside a kernel that trains, and from a file, offline."""

import re

import axe
import build_site
import lab as jupyter
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import expect
from test_lab import ask, complaints_of, run_all, settles, show_as
from test_page import THEMES, WIDTHS, loaded, opened

from resnet_lesson import TrainingPanel

# Steps that take their time, and training without end: until it is stopped.
SETUP = """import time
import numpy as np
from resnet_lesson import TrainingPanel
from resnet_lesson.runtime import keras, set_seed

class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.02)

def make():
    set_seed(0)
    x = np.random.default_rng(0).standard_normal((80, 6)).astype("float32")
    model = keras.Sequential([keras.Input((6,))] + [keras.layers.Dense(6) for _ in range(5)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    return model, {"x": x, "y": x, "callbacks": [Slow()]}

panel = TrainingPanel({"one": make, "other": make}, epochs=100_000, batch_size=8)
panel"""
PIXELS = "canvas => canvas.toDataURL()"
RESTART = """async () => {
    const { sessionContext } = window.jupyterapp.shell.currentWidget;
    await sessionContext.restartKernel();
    await sessionContext.session.kernel.info;
}"""
# The command would wait for the end of the cell.
RUN_LAST = """() => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = notebook.widgets.length - 1;
    window.jupyterapp.commands.execute('notebook:run-cell');
}"""
RUN_FIRST = """() => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = 0;
    return window.jupyterapp.commands.execute('notebook:run-cell');
}"""
INTERRUPT = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"


@pytest.fixture(scope="module")
def laboratory(chromium, lab):
    """A page with a panel over a kernel, and the page's complaints."""
    jupyter.write_notebook(lab, "panel.ipynb", SETUP, "")
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(20_000)
    complaints = complaints_of(page)
    assert run_all(page, lab, "panel.ipynb")["errors"] == []
    yield page, page.locator(".resnet-panel"), complaints
    page.close()


def press(panel, name):
    """Press a button by a key; it keeps the focus."""
    button = panel.get_by_role("button", name=name, exact=True)
    button.press("Enter")
    expect(button if name in ("Start", "Stop") else panel.locator("button:focus")).to_be_focused()


def says(panel, words, timeout=60_000):
    """The steps in the status, once it reads so."""
    status = panel.locator("[role=status]")
    expect(status).to_have_text(re.compile(words), timeout=timeout)
    found = re.search(r"\d+", status.inner_text())
    return found and int(found[0])


def changes(page, canvas, before):
    """Wait until the canvas shows something else."""
    differs = "([canvas, before]) => canvas.toDataURL() !== before"
    page.wait_for_function(differs, arg=[canvas.element_handle(), before])


def test_it_redraws_while_fit_runs_and_obeys_the_keys(laboratory):
    page, panel, complaints = laboratory
    says(panel, "Ready")
    press(panel, "Start")
    says(panel, r"Training, step \d+ of 1000000; about")
    maps = panel.locator("canvas")
    expect(maps).to_have_count(2)
    for drawn in (maps.first, maps.last):
        changes(page, drawn, drawn.evaluate(PIXELS))
    # The cell is free all the while.
    assert ask(page, "print(6 * 7, panel.state)") == "42 training"

    press(panel, "Pause")
    held = says(panel, "Paused at step")
    page.wait_for_timeout(1200)
    assert says(panel, "Paused at step") == held
    held = ask(page, "print([run['steps'] for run in panel.record()['runs']])")
    page.wait_for_timeout(300)
    assert ask(page, "print([run['steps'] for run in panel.record()['runs']])") == held
    press(panel, "Resume")
    says(panel, "Training, step")
    press(panel, "Pause")
    held = says(panel, "Paused at step")
    press(panel, "Stop")
    assert says(panel, "Stopped after") <= held + 1
    assert ask(page, "print(panel.state)") == "stopped"

    press(panel, "Start")  # afresh
    says(panel, "Training, step")
    assert ask(page, "print(len(panel.runs))") == "2"
    press(panel, "Stop")
    says(panel, "Stopped after")
    assert complaints == []


def test_a_panel_that_a_cell_trains_redraws_too(laboratory):
    page, panel, complaints = laboratory
    page.evaluate(
        """source => window.jupyterapp.shell.currentWidget.content.widgets.at(-1)
        .model.sharedModel.setSource(source)""",
        "panel.run()",
    )
    page.evaluate(RUN_LAST)
    first = says(panel, "Training, step")
    drawn = panel.locator("canvas").first
    changes(page, drawn, drawn.evaluate(PIXELS))
    expect(panel.locator("[role=status]")).not_to_contain_text(f"step {first} ", timeout=20_000)
    page.evaluate(INTERRUPT)
    says(panel, "Stopped after")
    # What is asked before the cell has ended goes down with it.
    settles(page, "print(panel.state)", "stopped")
    assert complaints == []


def controls_by_keys(page, panel):
    """Use every control of a panel that does not train."""
    maps = panel.locator("canvas").first
    for role, name, key in (
        ("combobox", "Show", "ArrowDown"),
        ("checkbox", "First 20 steps", "Space"),
        ("slider", "Step", "Home"),
        ("slider", "Step", "ArrowRight"),
    ):
        seen = maps.evaluate(PIXELS)
        control = panel.get_by_role(role, name=name, exact=True)
        control.focus()
        page.keyboard.press(key)
        changes(page, maps, seen)
        expect(control).to_be_focused()
    slider = panel.get_by_role("slider", name="Step", exact=True)
    slider.press("Home")
    press(panel, "Play")
    expect(slider).not_to_have_value("0")
    press(panel, "Halt")
    here = slider.input_value()
    page.wait_for_timeout(300)
    assert slider.input_value() == here
    slider.press("End")
    panel.get_by_role("checkbox", name="First 20 steps").press("Space")


def test_what_was_trained_can_be_played(laboratory):
    page, panel, complaints = laboratory
    controls_by_keys(page, panel)
    assert complaints == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_keeps_nobody_out_in_jupyterlab(laboratory, theme, width):
    page, panel, complaints = laboratory
    show_as(page, theme, width, 1000)
    panel.scroll_into_view_if_needed()
    # It follows its room a frame later, and does not scroll sideways.
    element = panel.element_handle()
    page.wait_for_function("el => el.scrollWidth <= el.clientWidth", arg=element)
    assert axe.violations(page, ".resnet-panel") == []
    page.set_viewport_size({"width": 1280, "height": 1000})
    assert complaints == []


def test_an_error_in_training_is_said(laboratory):
    page, panel, _ = laboratory
    ask(page, "panel._makers = {'one': lambda: 1 / 0}")
    press(panel, "Start")
    expect(panel.get_by_role("alert")).to_have_text("ZeroDivisionError: division by zero")
    says(panel, "Failed after 0 steps")
    ask(page, "panel._makers = {'one': make, 'other': make}")
    press(panel, "Start")
    says(panel, "Training, step")
    expect(panel.get_by_role("alert")).to_have_count(0)


def test_a_training_ends_when_its_cell_runs_again_or_its_panel_is_closed(laboratory):
    page, panel, complaints = laboratory
    says(panel, "Training, step")
    ask(page, "old = panel")
    page.evaluate(RUN_FIRST)
    says(panel, "Ready")
    settles(page, "print(old.state)", "stopped")
    press(panel, "Start")
    says(panel, "Training, step")
    ask(page, "panel.close(); panel.wait(60)")
    settles(page, "print(panel.state)", "stopped")
    expect(panel).to_have_count(0)
    page.evaluate(RUN_FIRST)
    says(panel, "Ready")
    press(panel, "Start")
    says(panel, "Training, step")
    assert complaints == []


def test_a_kernel_restarts_in_mid_training_without_an_error(laboratory, lab):
    page, panel, complaints = laboratory
    says(panel, "Training, step")
    page.evaluate(RESTART)
    page.wait_for_timeout(2000)
    assert page.locator(".jp-Dialog").count() == 0
    assert ask(page, "print('panel' in globals())") == "False"
    expect(panel.get_by_role("button", name="Start")).to_be_visible()
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.evaluate(RUN_FIRST)
    says(panel, "Ready")
    press(panel, "Start")
    says(panel, "Training, step")
    press(panel, "Stop")
    says(panel, "Stopped after")
    assert page.locator(".jp-Dialog").count() == 0
    assert complaints == []


# ---------------------------------------------------------------- without a kernel


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page with the recorded training, made as the lesson's own is made."""
    panel = TrainingPanel.replay()
    bundle, _ = panel._repr_mimebundle_()
    source = new_notebook(
        cells=[
            new_markdown_cell("# Replay"),
            new_code_cell("TrainingPanel.replay()", outputs=[new_output("display_data", bundle)]),
        ]
    )
    saved = {panel.model_id: {"state": panel.get_state()}}
    source.metadata["widgets"] = {build_site.STATE: {"state": saved}}
    path = tmp_path_factory.mktemp("site") / "index.html"
    build_site.write(path, build_site.page(source, "notebooks/replay.ipynb"))
    return path


def test_a_recorded_training_plays_from_a_file(chromium, site):
    with opened(chromium, site) as (page, asked):
        panel = page.locator(".resnet-panel")
        says(panel, "No kernel answers: this training was recorded")
        assert panel.get_by_role("button", name="Start").count() == 0
        words = panel.locator(".names")
        expect(words).to_contain_text("plain: loss 2.26, accuracy 0.105.")
        expect(words).to_contain_text("frozen: relative update under 1e-6")
        controls_by_keys(page, panel)
        # The opening: one step multiplies weights by ten and more.
        panel.get_by_role("checkbox", name="First 20 steps").press("Space")
        panel.get_by_role("combobox", name="Show").select_option("weight_norm")
        panel.get_by_role("slider", name="Step", exact=True).press("Home")
        expect(words).to_contain_text("to 1.1e1 (stage3_unit6_conv1)")
        page.keyboard.press("ArrowRight")
        expect(words).to_contain_text("to 1.5e2 (stage1_unit1_conv1)")
    assert loaded(asked) == [site.as_uri()]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_keeps_nobody_out(chromium, site, theme, width):
    with opened(chromium, site, width, theme) as (page, _):
        panel = page.locator(".resnet-panel")
        says(panel, "recorded")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert axe.violations(page) == []
        # A pixel of each map's canvas lies within its frame.
        for canvas, frame in zip(
            panel.locator("canvas").all(), panel.locator(".room").all(), strict=True
        ):
            inner, outer = canvas.bounding_box(), frame.bounding_box()
            assert all(abs(inner[side] - outer[side]) < 2 for side in inner)
