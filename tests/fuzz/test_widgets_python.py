"""Whatever a cell or a front end does to a widget: it takes it or says in a sentence what is wrong,
and its state can always be drawn again."""

import asyncio
import json
import logging
import math
import warnings

import comm
import numpy as np
import pytest
import size
import subjects
import traitlets
from comm.base_comm import BaseComm
from jupyter_client.session import json_packer
from sequences import COMMANDS, Sequences

from resnet_lesson.widgets.panel import fit

pytestmark = pytest.mark.slow

CYCLE: list = []
CYCLE.append(CYCLE)
# What JSON cannot hold, but a cell can set.
ODD = (
    *(10**5000, b"\xff", 1j, object(), len, range(3), memoryview(b"x"), "x" * 100_000),
    *({1, 2}, (1, 2), {1: 2}, {None: [math.nan]}, [math.nan], [10**5000], CYCLE, {"a": CYCLE}),
    *(np.float64("nan"), np.float32(2), np.int64(3), np.bool_(True), np.arange(3), np.eye(2)),
)
# What no browser sends, but Python reads as JSON.
BARELY = (
    math.nan,
    -math.inf,
    "\ud800",
    ["a\udcff"],
    {"\udc00": 1},
    json.loads("[" * 900 + "]" * 900),
)
MALFORMED = (
    *({}, {"method": None}, {"method": "update"}, {"method": "custom"}, {"method": "unknown"}),
    *({"method": "update", "state": value} for value in (None, 3, [], "depth", [["depth", 3]])),
    {"method": "update", "state": {"depth": 3}, "buffer_paths": [["depth", 0], ["x", "y"]]},
    *(None, [], "update", {"method": ["update"], "state": {}}, {"method": "request_state"}),
)
CALLS = ("pin", "redraw", "start", "pause", "stop", "record", "call", "_ipython_display_")


def assigned(draw):
    name = draw.name()
    odd = draw.random.random() < 0.3
    return "set", name, draw.choice((*ODD, *BARELY)) if odd else draw.value(name)


def sent(draw):
    state = draw.state()
    if draw.random.random() < 0.15:
        state[draw.name()] = draw.choice(BARELY)
    return "send", {"method": "update", "state": state, "buffer_paths": []}


def custom(draw):
    command = draw.choice(COMMANDS) if draw.random.random() < 0.5 else draw.anything()
    return "send", {"method": "custom", "content": command}


STEPS = (
    *(assigned,) * 3,
    *(sent,) * 3,
    *(custom,) * 2,
    lambda draw: ("send", draw.choice(MALFORMED)),
    lambda draw: ("call", draw.choice(CALLS)),
    lambda draw: ("call", draw.choice((*CALLS, "close"))),
)


class Line(BaseComm):
    """A comm that packs what is sent as a kernel does."""

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        json_packer({"data": data or {}, "metadata": metadata or {}}).decode("utf-8")


@pytest.fixture
def logged(monkeypatch):
    """What is logged, behind a kernel whose networks train in no time."""
    monkeypatch.setattr(comm, "create_comm", Line)
    monkeypatch.setattr(fit, "fit_network", subjects.pretended)
    monkeypatch.setattr("resnet_lesson.widgets.frontend.display", lambda *given, **named: None)
    records = []
    handler = logging.Handler()
    handler.handle = records.append  # type: ignore[assignment]
    loggers = [logging.getLogger(), logging.getLogger("traitlets")]
    for logger in loggers:
        logger.addHandler(handler)
    yield records
    for logger in loggers:
        logger.removeHandler(handler)


def shown(widget):
    return widget.get_state(subjects.own_names(widget))


def deliver(widget, data):
    """A message as a kernel hands it on."""
    if widget.comm is not None:
        buffers = [memoryview(b"x")] if data and "buffer_paths" in data else []
        message = {"content": {"data": json.loads(json.dumps(data))}, "buffers": buffers}
        widget.comm.handle_msg(message)


def refusal(function, *arguments):
    """The sentence of the error that it raises; "" where it raises none."""
    try:
        function(*arguments)
    except (traitlets.TraitError, ValueError, RuntimeError) as error:
        return str(error)
    return ""


def act(widget, step):
    """Do one step, and look at what it says."""
    match step:
        case ("set", name, value):
            before = shown(widget)
            sentence = refusal(setattr, widget, name, value)
            if sentence:
                assert name in sentence
                assert shown(widget) == before
        case ("send", data):
            sentence = deliver(widget, data) or ""
        case ("call", name):
            sentence = refusal(getattr(widget, name, lambda: None))
    sentence.encode()  # it can be shown
    assert "\n" not in sentence
    assert len(sentence) < 1000


def check(widget, kind):
    """Its state can be sent, and makes the same widget again."""
    state = json.loads(json.dumps(shown(widget), allow_nan=False).encode())
    page = {name: state[name] for name in widget._from_page}
    again = subjects.make(kind)
    again.set_state(page)
    assert json.loads(json.dumps(again.get_state(page))) == page
    again.close()


async def tried(kind, sequence):
    widget = subjects.make(kind)
    for step in sequence:
        act(widget, step)
        await asyncio.sleep(0)  # a kernel takes each message in a turn of its loop
    check(widget, kind)
    widget.close()
    if kind == "panel":
        widget._wait(60)


@pytest.mark.parametrize("kind", subjects.KINDS)
def test_no_sequence_breaks_it(logged, kind):
    draw = Sequences(0, subjects.states(kind), STEPS)
    for number in range(size.SEQUENCES):
        sequence = draw.sequence()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                asyncio.run(tried(kind, sequence))
                assert [record.getMessage() for record in logged] == []
            except BaseException as error:
                error.add_note(f"sequence {number} of {kind}: {sequence}"[:3000])
                raise
