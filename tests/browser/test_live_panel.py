"""The training panel in a real browser: beside a kernel that trains, and from a file, offline."""

import itertools
import re

import axe
import lab as jupyter
import pytest
import standalone
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

panel = TrainingPanel({"one": make, "other": make}, epochs=1000, batch_size=8)
panel"""
# Where the panel's kernel is: at its work, or waiting for what never comes.
AT_WORK = """import sys, threading, traceback
print(panel.state, [run["steps"] for run in panel.record()["runs"]])
for thread in threading.enumerate():
    print(thread.name, *traceback.format_stack(sys._current_frames()[thread.ident])[-4:])"""
PIXELS = "canvas => canvas.toDataURL()"
# The places of what the panel and the page hold: nothing is to move.
PLACES = """panel => ['.grid', '.key', '.said', '.foot', '.note']
    .map(part => panel.querySelector(part).offsetTop).concat(panel.offsetHeight)"""
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
DIE = """() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
    .requestExecute({ code: 'import os; os._exit(1)' }).done.catch(() => {}); }"""
# Of the panel, at every step of every measure.
HEIGHTS = """async () => {
    const panel = document.querySelector('.resnet-panel');
    const slider = panel.querySelector('[type=range]');
    const heights = new Set();
    const drawn = () => new Promise(done => requestAnimationFrame(() =>
        requestAnimationFrame(done)));
    for (const radio of panel.querySelectorAll('[type=radio]')) {
        radio.click();
        for (let step = 1; step <= Number(slider.max); step += 3) {
            slider.value = step;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            await drawn();
            heights.add(panel.offsetHeight);
        }
    }
    return [...heights];
}"""
BOXES = """all => all.map(text => text.getBoundingClientRect())
    .filter(({ width }) => width > 0)
    .map(({ left, right, top, bottom }) => ({ l: left, r: right, t: top + 3, b: bottom - 3 }))"""
GONE = "The kernel has gone, and its training with it: run this cell again to train."


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


def run_last(page, source):
    """Run this in the notebook's last cell, and do not wait for its end."""
    page.evaluate(
        """source => window.jupyterapp.shell.currentWidget.content.widgets.at(-1)
        .model.sharedModel.setSource(source)""",
        source,
    )
    page.evaluate(RUN_LAST)


def press(panel, name):
    """Press a button by a key; the focus stays on the controls."""
    panel.get_by_role("button", name=name, exact=True).press("Enter")
    expect(panel.locator(".foot :focus")).to_be_focused()


def says(panel, words, timeout=60_000):
    """Wait until the status reads so."""
    status = panel.locator("[role=status]")
    try:
        expect(status).to_have_text(re.compile(words), timeout=timeout)
    except AssertionError as error:
        if panel.page.evaluate("'jupyterapp' in window"):
            error.add_note(f"The kernel says: {ask(panel.page, AT_WORK)}")
        raise
    return status.inner_text()


def step_of(panel, words=r"step \d+"):
    """The step that it shows, once it reads so."""
    step = panel.locator(".step")
    expect(step).to_have_text(re.compile(words), timeout=20_000)
    return int(re.findall(r"\d+", step.inner_text())[0])


def overlap(one, other):
    """Whether two words stand on each other."""
    return all(one[low] < other[high] and other[low] < one[high] for low, high in ("lr", "tb"))


def changes(page, canvas, before):
    """Wait until the canvas shows something else."""
    differs = "([canvas, before]) => canvas.toDataURL() !== before"
    page.wait_for_function(differs, arg=[canvas.element_handle(), before])


def test_it_redraws_while_fit_runs_and_obeys_the_keys(laboratory):
    page, panel, complaints = laboratory
    says(panel, "Nothing is trained yet")
    maps = panel.locator("canvas")
    expect(maps).to_have_count(2)  # there is room for both
    assert axe.violations(page, ".resnet-panel") == []
    places = panel.evaluate(PLACES)
    press(panel, "Start")
    says(panel, "Training")
    step_of(panel, r"step \d+ of 10,000, about")
    for drawn in (maps.first, maps.last):
        changes(page, drawn, drawn.evaluate(PIXELS))
    expect(panel.locator(".said")).to_contain_text("At step")
    assert panel.evaluate(PLACES) == places
    # The cell is free all the while.
    assert ask(page, "print(6 * 7, panel.state)") == "42 training"
    assert axe.violations(page, ".resnet-panel") == []

    press(panel, "Pause")
    says(panel, "Paused")
    assert axe.violations(page, ".resnet-panel") == []
    held = step_of(panel)
    page.wait_for_timeout(1200)
    assert step_of(panel) == held
    held = ask(page, "print([run['steps'] for run in panel.record()['runs']])")
    page.wait_for_timeout(300)
    assert ask(page, "print([run['steps'] for run in panel.record()['runs']])") == held
    press(panel, "Go on")
    says(panel, "Training")
    press(panel, "Pause")
    says(panel, "Paused")
    held = step_of(panel)
    press(panel, "Stop")
    stopped = says(panel, "Stopped after")
    assert int(re.findall(r"\d+", stopped)[0]) <= held + 1
    assert ask(page, "print(panel.state)") == "stopped"
    assert panel.evaluate(PLACES) == places
    assert complaints == []


def test_a_run_is_dropped_only_after_a_question(laboratory):
    page, panel, complaints = laboratory
    before = ask(page, "print(panel.runs[0]['steps'])")
    for answer in ("Enter", "Escape"):
        press(panel, "Start again")
        expect(panel.get_by_role("group", name="Start again")).to_contain_text("It drops this run")
        expect(panel.get_by_role("button", name="No, keep it")).to_be_focused()
        page.keyboard.press(answer)
        expect(panel.get_by_role("button", name="Start again", exact=True)).to_be_focused()
    assert ask(page, "print(panel.state, panel.runs[0]['steps'])") == f"stopped {before}"
    press(panel, "Start again")
    press(panel, "Yes, start again")
    says(panel, "Training")
    assert ask(page, "print(len(panel.runs))") == "2"
    press(panel, "Stop")
    says(panel, "Stopped after")
    assert complaints == []


def test_a_press_while_a_cell_runs_is_obeyed_or_said_to_wait(laboratory):
    page, panel, complaints = laboratory
    press(panel, "Start again")
    press(panel, "Yes, start again")
    says(panel, "Training")
    run_last(page, "time.sleep(5)")
    page.wait_for_timeout(500)
    press(panel, "Pause")
    says(panel, "Paused|runs a cell: it will do what you pressed", timeout=3000)
    says(panel, "Paused")
    press(panel, "Stop")
    says(panel, "Stopped after")
    assert complaints == []


def test_a_panel_that_a_cell_trains_redraws_too(laboratory):
    page, panel, complaints = laboratory
    run_last(page, "panel.run()")
    says(panel, "Training")
    first = step_of(panel)
    drawn = panel.locator("canvas").first
    changes(page, drawn, drawn.evaluate(PIXELS))
    expect(panel.locator(".step")).not_to_contain_text(f"step {first} ", timeout=20_000)
    step_of(panel, r"step ([3-9]\d|\d{3,}) ")  # more than the opening, for what comes next
    page.evaluate(INTERRUPT)
    says(panel, "Stopped after")
    # What is asked before the cell has ended goes down with it.
    settles(page, "print(panel.state)", "stopped")
    assert complaints == []


def controls_by_keys(page, panel):
    """Use every control of a panel that does not train."""
    maps, step = panel.locator("canvas").first, panel.locator(".step")
    panel.locator("summary").press("Enter")
    for role, name, key in (
        ("radio", "gradient", "ArrowRight"),
        ("switch", "Only the first 20 steps", "Space"),
    ):
        seen = maps.evaluate(PIXELS)
        panel.get_by_role(role, name=name, exact=True).focus()
        page.keyboard.press(key)
        changes(page, maps, seen)
        expect(panel.locator("details :focus")).to_be_focused()
    last = int(re.findall(r"of (\d+)", step.inner_text())[0])
    slider = panel.get_by_role("slider", name="Step", exact=True)
    for key, there in (("Home", 1), ("ArrowRight", 2), ("End", last)):
        slider.press(key)
        expect(step).to_have_text(f"step {there} of {last}")
        expect(panel.locator(".said")).to_contain_text(f"At step {there} ")
    slider.press("Home")
    press(panel, "Play")
    expect(slider).not_to_have_value("1")
    expect(panel.locator(".hint")).not_to_contain_text("press Play")
    press(panel, "Pause")
    here = slider.input_value()
    page.wait_for_timeout(300)
    assert slider.input_value() == here
    slider.press("End")
    panel.get_by_role("switch", name="Only the first 20 steps").press("Space")


def cells_by_keys(page, panel):
    """Go over the cells of a map."""
    picture, tip = panel.locator(".map").first, panel.locator(".tip").first
    expect(tip).to_be_hidden()
    picture.focus()
    said = []
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
        expect(tip).to_be_visible()
        said.append(tip.inner_text())
    assert len(set(said)) == 3
    assert all(re.search(r"steps? \d+.*: \S+", words) for words in said)
    panel.locator("summary").focus()
    expect(tip).to_be_hidden()
    return said


def test_what_was_trained_can_be_played(laboratory):
    page, panel, complaints = laboratory
    controls_by_keys(page, panel)
    cells_by_keys(page, panel)
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


def seconds_of(panel):
    """For how long it builds, once it says so."""
    step = panel.locator(".step")
    expect(step).to_have_text(re.compile(r"building, \d+ s"))
    return int(re.findall(r"\d+", step.inner_text())[0])


def test_what_is_pressed_while_it_builds_is_said_and_counted_on(laboratory):
    page, panel, complaints = laboratory
    slowly = "panel._makers = {name: lambda: (time.sleep(6), make())[1] for name in panel.networks}"
    ask(page, slowly)
    press(panel, "Start again")
    press(panel, "Yes, start again")
    says(panel, "Building comes first")
    places = panel.evaluate(PLACES)
    expect(panel.locator(".hint")).to_have_text(re.compile("^While it is built: say whose loss"))
    expect(panel.locator(".step")).to_have_text("building, 2 s")
    press(panel, "Pause")
    says(panel, "It holds as soon as the network is built")
    assert seconds_of(panel) >= 2
    press(panel, "Go on")
    says(panel, "Building comes first")
    assert seconds_of(panel) >= 2
    assert panel.evaluate(PLACES) == places
    press(panel, "Stop")
    says(panel, "It stops as soon as the network is built")
    assert seconds_of(panel) >= 2
    says(panel, r"Stopped after \d+ steps")
    assert panel.evaluate(PLACES) == places
    ask(page, "panel._makers = {'one': make, 'other': make}")
    assert complaints == []


def test_two_views_show_one_training(laboratory):
    page, first, complaints = laboratory
    run_last(page, "panel")
    views = page.locator(".resnet-panel")
    expect(views).to_have_count(2)
    one, other = views.first, views.last
    said = one.locator("[role=status]").inner_text()
    expect(other.locator("[role=status]")).to_have_text(said)  # the new view has heard
    start = other.get_by_role("button", name=re.compile("^Start"))
    if start.inner_text() == "Start again":
        press(other, "Start again")
        press(other, "Yes, start again")
    else:
        press(other, "Start")
    for view in (one, other):
        says(view, "Training")
    press(one, "Pause")
    for view in (one, other):
        says(view, "Paused")
    assert step_of(one) == step_of(other)
    press(other, "Go on")
    says(one, "Training")
    # What a reader looks at is the view's own.
    other.locator("summary").press("Enter")
    other.get_by_role("radio", name="update").press("Space")
    expect(other.locator(".title")).to_contain_text("a step change each layer")
    expect(one.locator(".title")).not_to_contain_text("a step change each layer")
    # A view that goes leaves the training to the other.
    run_last(page, "")
    expect(views).to_have_count(1)
    before = step_of(first)
    page.wait_for_timeout(1500)
    assert step_of(first) > before
    press(first, "Stop")
    says(first, "Stopped after")
    assert complaints == []


def test_the_theme_changes_under_a_panel(laboratory):
    page, panel, complaints = laboratory
    grounds = []
    for theme in ("dark", "light"):
        show_as(page, theme, 1280, 1000)
        grounds.append(panel.evaluate("el => getComputedStyle(el).backgroundColor"))
        assert axe.violations(page, ".resnet-panel") == []
    assert len(set(grounds)) == 2
    assert complaints == []


def test_an_error_in_training_is_said(laboratory):
    page, panel, _ = laboratory
    ask(page, "panel._makers = {'one': lambda: 1 / 0}")
    press(panel, "Start again")
    press(panel, "Yes, start again")
    expect(panel.get_by_role("alert")).to_have_text("ZeroDivisionError: division by zero")
    says(panel, "Failed after 0 steps")
    ask(page, "panel._makers = {'one': make, 'other': make}")
    press(panel, "Start")
    says(panel, "Training")
    expect(panel.get_by_role("alert")).to_have_count(0)


def test_a_training_ends_when_its_cell_runs_again_or_its_panel_is_closed(laboratory):
    page, panel, complaints = laboratory
    says(panel, "Training")
    ask(page, "old = panel")
    page.evaluate(RUN_FIRST)
    says(panel, "Nothing is trained yet")
    settles(page, "print(old.state)", "stopped")
    # The second press of a double one does not fall on what has become Pause.
    panel.get_by_role("button", name="Start", exact=True).dblclick()
    says(panel, "Training")
    page.wait_for_timeout(500)
    assert ask(page, "print(panel.state, panel._trainings)") == "training 1"
    ask(page, "panel.close(); panel.wait(60)")
    settles(page, "print(panel.state)", "stopped")
    expect(panel).to_have_count(0)
    page.evaluate(RUN_FIRST)
    says(panel, "Nothing is trained yet")
    panel.get_by_role("button", name="Start", exact=True).focus()
    for _ in range(20):  # a key that is held
        page.keyboard.down("Enter")
        page.wait_for_timeout(30)
    page.keyboard.up("Enter")
    says(panel, "Training")
    assert ask(page, "print(panel.state, panel._trainings)") == "training 1"
    assert complaints == []


def test_a_kernel_restarts_in_mid_training_without_an_error(laboratory, lab):
    page, panel, complaints = laboratory
    says(panel, "Training")
    page.evaluate(RESTART)
    says(panel, GONE, timeout=5000)
    page.wait_for_timeout(2000)
    assert page.locator(".jp-Dialog").count() == 0
    assert ask(page, "print('panel' in globals())") == "False"
    # What it had trained can still be played.
    press(panel, "Play")
    expect(panel.get_by_role("button", name="Start again")).to_be_hidden()
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.evaluate(RUN_FIRST)
    says(panel, "Nothing is trained yet")
    press(panel, "Start")
    says(panel, "Training")
    press(panel, "Stop")
    says(panel, "Stopped after")
    # Stop has gone; whoever pressed it by a key is still at the controls.
    expect(panel.get_by_role("button", name="Play", exact=True)).to_be_focused()
    assert page.locator(".jp-Dialog").count() == 0
    assert complaints == []


def test_a_kernel_that_dies_while_it_builds_is_told_in_seconds(laboratory):
    page, panel, _ = laboratory
    ask(page, "panel._makers = {'one': lambda: time.sleep(600)}")
    press(panel, "Start again")
    press(panel, "Yes, start again")
    says(panel, "Building comes first: 10 seconds to a minute")
    assert axe.violations(page, ".resnet-panel") == []
    # A long build is no silence: the panel goes on counting, and does not take it for a death.
    counted = re.compile(r"building, 1[2-9] s")
    expect(panel.locator(".step")).to_have_text(counted, timeout=30_000)
    says(panel, "Building comes first")
    page.evaluate(DIE)
    says(panel, GONE, timeout=15_000)


# ---------------------------------------------------------------- without a kernel


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page with the recorded training."""
    return standalone.write(tmp_path_factory.mktemp("site") / "index.html", TrainingPanel.replay())


def test_a_recorded_training_plays_from_a_file(chromium, site):
    with opened(chromium, site) as (page, asked):
        panel = page.locator(".resnet-panel")
        says(panel, "No kernel answers: this is a recorded training")
        for name in ("Start", "Stop", "Start again"):
            assert panel.get_by_role("button", name=name, exact=True).count() == 0
        said, step = panel.locator(".said"), panel.locator(".step")
        expect(step).to_have_text("step 200 of 200")
        expect(said).to_contain_text("the plain network has hardly begun to learn")
        expect(said).to_contain_text("the residual network has learnt most of the task")
        controls_by_keys(page, panel)
        # The opening: one step multiplies weights by nine.
        panel.get_by_role("switch", name="Only the first 20 steps").press("Space")
        panel.get_by_role("radio", name="weights").press("Space")
        panel.get_by_role("slider", name="Step", exact=True).press("Home")
        expect(said).to_contain_text("weights are as large in the plain network, as large in")
        page.keyboard.press("ArrowRight")
        expect(said).to_contain_text("weights are 9.1 times as large in the plain network")
        assert cells_by_keys(page, panel)[0].startswith("stem conv\nstep 2: ")
    assert loaded(asked, site) == []


def test_a_cell_under_the_pointer_is_said(chromium, site):
    with opened(chromium, site) as (page, _):
        panel = page.locator(".resnet-panel")
        tips, maps = panel.locator(".tip"), panel.locator(".map")
        for which in range(2):
            # On the third stage's first layers, near the first steps.
            maps.nth(which).hover(position={"x": 66, "y": 148})
            expect(tips.nth(which)).to_contain_text(
                re.compile(r"stage3 unit1 conv1\s+steps 5 to 6: \d")
            )
        expect(tips.first).to_be_hidden()
        page.mouse.move(5, 5)
        expect(tips.last).to_be_hidden()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_keeps_nobody_out(chromium, site, theme, width):
    with opened(chromium, site, width, theme) as (page, _):
        panel = page.locator(".resnet-panel")
        says(panel, "recorded")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert axe.violations(page) == []
        # Each map stands where the lines beside it say, and no two words overlap.
        texts = panel.locator("svg text").evaluate_all(BOXES)
        assert [pair for pair in itertools.combinations(texts, 2) if overlap(*pair)] == []
        # Nothing moves, whatever is shown of whatever step.
        panel.locator("summary").press("Enter")
        expect(panel.get_by_role("switch")).to_be_visible()
        assert len(page.evaluate(HEIGHTS)) == 1
        for canvas in panel.locator("canvas").all():
            inner, outer = canvas.bounding_box(), canvas.locator("xpath=..").bounding_box()
            assert outer["x"] < inner["x"]
            assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
