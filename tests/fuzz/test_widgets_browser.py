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
