"""Whatever a kernel sends to a widget and a reader does with it: no error in the browser, and a
new view draws its picture."""

import json
from pathlib import Path

import bundle
import pytest
import size
import subjects
from sequences import Sequences

pytestmark = pytest.mark.slow  # and needs a browser

HERE = Path(__file__).parent
KINDS = (*subjects.KINDS, "race")
STATUSES = ("idle", "busy", "restarting", "dead", "starting", "", "terminating")


def traits(draw):
    return "traits", draw.state()


def state(draw):
    """A whole state that it has had, as a kernel's answer."""
    return "traits", draw.choice(draw.states) | {"answers": draw.random.randrange(99)}


def message(draw):
    """Of the panel's kind, with something changed, or anything."""
    if draw.random.random() < 0.3:
        return "message", draw.anything()
    said = {"training": 1, "state": draw.choice(("training", "paused", "finished", "building"))}
    said |= {"seconds": 1.5, "left": None, "error": "", "runs": draw.choice(RUNS)}
    return "message", said if draw.random.random() < 0.5 else draw.changed(subjects.copied(said))


RUNS = ([], subjects.runs(3), subjects.parts(7, 5), subjects.runs(200)[:1])
STEPS = (
    *(traits,) * 3,
    *(message,) * 2,
    *(lambda draw: ("act", [draw.random.random() for _ in range(4)]),) * 5,
    state,
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


@pytest.mark.parametrize("kind", KINDS)
def test_no_sequence_breaks_it(page, kind):
    states = subjects.RACES if kind == "race" else subjects.states(kind)
    draw = Sequences(1, states, STEPS)
    runs = [{"state": draw.choice(states), "steps": draw.sequence()} for _ in range(size.SEQUENCES)]
    folder = {"replay": "panel"}.get(kind, kind)
    complaints = page.evaluate(
        "([kind, runs]) => fuzz(kind, JSON.parse(runs))", [folder, json.dumps(runs)]
    )
    import os

    if os.environ.get("EXPLORE"):
        import collections

        first = {}
        count = collections.Counter()
        for run, said in zip(runs, complaints):
            for one in said:
                key = one[:230]
                count[key] += 1
                first.setdefault(key, run["steps"])
        for key, n in count.most_common():
            print("###", n, key)
        print("FAILED", sum(bool(x) for x in complaints), "of", len(runs))
    assert [(run, said) for run, said in zip(runs, complaints, strict=True) if said] == []
