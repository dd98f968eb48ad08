"""Whatever a cell or a front end does to a widget: it says in a sentence what is wrong, or takes
it, and can always be drawn again from its state."""

import asyncio
import json
import logging
import math
import random
import types
import warnings

import comm
import numpy as np
import pytest
import size
import subjects
import traitlets
from comm.base_comm import BaseComm
from jupyter_client.session import json_packer
from sequences import Sequences

from resnet_lesson.widgets.panel import fit

CYCLE: list = []
CYCLE.append(CYCLE)
# What JSON cannot hold.
ODD = (
    *(math.nan, math.inf, -math.inf, 10**5000, "\ud800", "a\udcff", b"\xff", 1j, object(), len),
    *({1, 2}, (1, 2), {1: 2}, {None: [math.nan]}, [math.nan], ["\ud800"], CYCLE, {"a": CYCLE}),
    *(np.float64("nan"), np.float32(2), np.int64(3), np.bool_(True), np.arange(3), np.ones((2, 2))),
    *([10**5000], [[[] for _ in range(2000)]], range(3), memoryview(b"x"), "x" * 100_000),
)
BUFFERS = ([], [b"\0" * 9], [memoryview(b"x")])
MALFORMED = (
    *({}, {"method": None}, {"method": "update"}, {"method": "custom"}, {"method": "unknown"}),
    *({"method": "update", "state": value} for value in (None, 3, [], "depth", [["depth", 3]])),
    {"method": "update", "state": {"depth": 3}, "buffer_paths": [["depth", 0], ["x", "y"]]},
    *(None, [], "update", {"method": ["update"], "state": {}}, {"method": "request_state"}),
)


class Line(BaseComm):
    """A comm that packs what is sent as a kernel does."""

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        json_packer({"data": data or {}, "metadata": metadata or {}}).decode("utf-8")


def python_value(draw):
    """The name of a trait and a value for it, which JSON may not be able to hold."""
    name = draw.name()
    odd = draw.random.random() < 0.3
    return "set", name, draw.choice(ODD) if odd else draw.value(name)


def custom(draw):
    content = draw.anything()
    return "custom", draw.choice(COMMANDS) if draw.random.random() < 0.5 else content


COMMANDS = ("hello", "waiting", "start", "start again", "pause", "resume", "stop")
STEPS = (
    *(python_value,) * 3,
    *(lambda draw: ("state", draw.state()),) * 3,
    *(custom,) * 2,
    lambda draw: ("raw", draw.choice(MALFORMED)),
    lambda draw: ("call", draw.choice(("pin", "redraw", "start", "stop", "record", "call"))),
    lambda draw: ("call", "close" if draw.random.random() < 0.2 else "_ipython_display_"),
)


@pytest.fixture
def line(monkeypatch):
    """A kernel's messages, a fit that takes no time, and whatever is logged or warned of."""
    monkeypatch.setattr(comm, "create_comm", lambda *given, **named: Line(*given, **named))
    monkeypatch.setattr(fit, "fit_network", subjects.pretended)
    monkeypatch.setattr("resnet_lesson.widgets.frontend.display", lambda *given, **named: None)
    records: list = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    monkeypatch.setattr(traitlets.log.get_logger(), "propagate", True)
    yield records
    logging.getLogger().removeHandler(handler)


def shown(widget):
    return {name: widget.get_state([name])[name] for name in subjects.own_names(widget)}


def packed(state):
    """The state as JSON, which browsers can read."""
    return json.loads(json.dumps(state, allow_nan=False).encode("utf-8"))


def deliver(widget, data):
    if widget.comm is not None:
        message = {"content": {"data": data}, "buffers": [], "metadata": {}}
        widget.comm.handle_msg(json_copy(message))


def json_copy(data):
    return json.loads(json.dumps(data))


def act(widget, step):
    """Do one step; what a wrong value in Python raises is looked at here."""
    match step:
        case ("set", name, value):
            before = shown(widget)
            try:
                setattr(widget, name, value)
            except (traitlets.TraitError, ValueError) as refused:
                sentence = str(refused)
                sentence.encode()
                assert name in sentence, sentence
                assert "\n" not in sentence
                assert len(sentence) < 1000
                assert shown(widget) == before
        case ("state", state):
            deliver(widget, {"method": "update", "state": state, "buffer_paths": []})
        case ("custom", content):
            deliver(widget, {"method": "custom", "content": content})
        case ("raw", data):
            deliver(widget, data)
        case ("call", name) if hasattr(widget, name):
            try:
                getattr(widget, name)()
            except (RuntimeError, ValueError) as refused:
                assert "\n" not in str(refused)


def check(widget, kind):
    """Its state can be sent, passes its own checks, and makes the same widget again."""
    state = packed(shown(widget))
    fresh = subjects.make(kind)
    page = {name: state[name] for name in state if name in widget._from_page}
    fresh.set_state(page)
    again = packed(shown(fresh))
    assert {name: again[name] for name in page} == page
    fresh.close()


@pytest.mark.parametrize("kind", subjects.KINDS)
def test_no_sequence_breaks_it(line, kind, monkeypatch):
    draw = Sequences(0, subjects.states(kind), STEPS)
    failed: list = []

    async def run():
        for number in range(size.SEQUENCES):
            sequence = draw.sequence()
            widget = subjects.make(kind)
            try:
                for step in sequence:
                    act(widget, step)
                    await asyncio.sleep(0)
                check(widget, kind)
                if number % 10 == 0:
                    data, _ = type(widget)._repr_mimebundle_(widget)
                    assert data["text/plain"]
                assert not line, [record.getMessage() for record in line]
            except Exception as error:
                import traceback

                frame = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{frame.filename.split('/')[-1]}:{frame.lineno}"
                failed.append(
                    (
                        step[:2] if step[0] != "state" else ("state", list(step[1])),
                        type(error).__name__,
                        str(error)[:150],
                        where,
                    )
                )
            line.clear()
            widget.close()
            if kind == "panel":
                assert widget._wait(20)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(run())
    seen = {}
    for one in failed:
        seen.setdefault((one[1], one[3]), []).append(one)
    import os

    if os.environ.get("EXPLORE"):
        for key, ones in seen.items():
            print(len(ones), key, ones[:3])
    assert failed == []
