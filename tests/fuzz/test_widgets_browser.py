"""Whatever a kernel sends to a widget and a reader does with it: no error in the browser, and a
new view draws its picture."""

import copy
import json
from pathlib import Path

import bundle
import pytest
import size
import subjects
from sequences import Sequences

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
STATUSES = ("idle", "busy", "restarting", "dead", "starting", "", "terminating")
AT_ONCE = 100  # sequences that are handed to the page


def changed(draw):
    return "traits", draw.state()


def answered(draw):
    """A whole state, as a kernel's answer has it."""
    return "traits", draw.choice(draw.states) | {"answers": draw.random.randrange(99)}


def told(draw):
    """A message as the panel's kernel sends it, the same with something changed, or anything."""
    if draw.random.random() < 0.3:
        return "message", draw.anything()
    said = {"training": 1, "state": draw.choice(("training", "paused", "finished", "building"))}
    said |= {"seconds": 1.5, "left": None, "error": "", "runs": draw.choice(subjects.parts())}
    return "message", said if draw.random.random() < 0.5 else draw.changed(copy.deepcopy(said))


STEPS = (
    *(changed,) * 3,
    *(told,) * 2,
    *(lambda draw: ("act", [draw.random.random() for _ in range(4)]),) * 5,
    answered,
    lambda draw: ("status", draw.choice(STATUSES)),
    lambda draw: ("message", "here"),
    lambda draw: ("width", draw.choice((0, 120, 375, 1200))),
)


@pytest.fixture(scope="module")
def page(chromium):
    context = chromium.new_context(offline=True, accept_downloads=False)
    page = context.new_page()
    for folder in bundle.NAMES:
        page.add_style_tag(path=bundle.WIDGETS / folder / "bundle.css")
    page.add_script_tag(content=bundle.esbuild(str(HERE / "page.js"), "--format=iife"))
    yield page
    context.close()


@pytest.mark.parametrize("kind", [*subjects.KINDS, "race"])
def test_no_sequence_breaks_it(page, kind):
    states = subjects.states(kind)
    draw = Sequences(1, states, STEPS)
    runs = [{"state": draw.choice(states), "steps": draw.sequence()} for _ in range(size.SEQUENCES)]
    widget = {"replay": "panel"}.get(kind, kind)
    for start in range(0, len(runs), AT_ONCE):
        some = runs[start : start + AT_ONCE]
        given = [widget, json.dumps(some)]
        complaints = page.evaluate("([widget, runs]) => fuzz(widget, JSON.parse(runs))", given)
        for run, said in zip(some, complaints, strict=True):
            assert said == [], f"after {run['steps']}"


# What a reader does before the view goes: the engine's worker starts, where there is one.
BUSY = {
    "explorer": [("press", "Walk through")],
    "race": [("press", "Start")],
    "panel": [("width", 700), ("width", 800), ("press", "Play")],
    "builder": [("press", "Add a stage"), ("press", "Remove the last stage")],
    "lesions": [("press", "Put all back")],
}


def counters(page):
    """Nodes and listeners of the page, once what nothing holds is gone."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    counts = session.send("Memory.getDOMCounters")
    session.detach()
    return {name: counts[name] for name in ("nodes", "jsEventListeners")}


@pytest.mark.parametrize("kind", BUSY)
def test_views_that_are_disposed_of_leave_nothing_behind(page, kind):
    state = subjects.states({"panel": "replay"}.get(kind, kind))[0]

    def renewed(times):
        given = [kind, state, BUSY[kind], times]
        return page.evaluate("given => renewed(...given)", given) | counters(page)

    renewed(3)
    before = renewed(3)
    assert before["heard"] == before["workers"] == before["observers"] == 0
    assert renewed(size.times(200)) == before


def test_a_depth_that_is_moved_leaves_nothing_behind(page):
    def moved(times):
        given = [subjects.states("explorer")[0], times]
        left = page.evaluate("given => moved(...given)", given)
        assert left.pop("depth") == 1 + 7 * (times - 1) % 200  # it was computed
        return left | counters(page)

    moved(3)
    before = moved(3)
    assert before["workers"] == 0
    assert moved(size.times(2000)) == before
