"""Signals to a program at a moment that was drawn, and what its end must be like."""

import os
import re
import signal
import time
from functools import partial
from pathlib import Path

import kills

BEGUN_NOTHING = "python -m resnet_lesson: stopped; nothing was begun: run it again\n"
TENSORFLOWS = re.compile(r"[IWE]0000 ")  # what it logs of every run with op determinism


STARTING = 5.0  # seconds in which a program imports what it needs, and begins


def send(process, draw, kill, has_begun, after):
    """Send one, perhaps twice: what was sent, exit code and stderr.

    It comes some time after the process listens, or up to ``after`` seconds after ``has_begun()``.
    """
    number = (signal.SIGINT, signal.SIGTERM)[kill % 2]
    to, is_for = (os.kill, "process") if kill // 2 % 2 else (os.killpg, "group")
    again = draw.choice([None, None, 0, 0.001, 0.02, 0.2])
    event, wait = draw.choice(
        [("listening", draw.uniform(0, STARTING)), ("beginning", after * draw.random())]
    )
    is_time = has_begun if event == "beginning" else partial(listens, process.pid)
    while process.poll() is None and not is_time():
        time.sleep(0.005)
    time.sleep(wait)
    begin = time.monotonic()
    for pause in [0] if again is None else [0, again]:
        time.sleep(pause)
        if process.poll() is None:
            to(process.pid, number)
    code, said = kills.end(process)
    row = {"signal": number.name, "to": is_for, "again_after_seconds": again}
    row |= {f"milliseconds_after_{event}": round(1000 * wait), "exit_code": code}
    return row | {"ended_after_seconds": round(time.monotonic() - begin, 1)}, code, said


def listens(process):
    """Whether a process catches SIGTERM; before, Python itself is starting."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    caught = int(re.findall(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def check(row, code, said, line):
    """It ended with one line and the signal's number, unless it had ended before."""
    said = "".join(said for said in said.splitlines(True) if not TENSORFLOWS.match(said))
    if code == 0:
        assert said == ""
    else:
        assert code == 128 + getattr(signal, row["signal"])
        assert said in (line, BEGUN_NOTHING)
