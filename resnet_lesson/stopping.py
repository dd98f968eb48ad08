"""SIGINT, which is Ctrl-C, and SIGTERM on the command line: one line, and nothing half written.

Only the command line listens. In a notebook, or in a program of others, both do what they did.
"""

import contextlib
import os
import signal
import sys
import weakref
from collections.abc import Iterator
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.5  # seconds after which a stop that got lost is raised again


class Stop(KeyboardInterrupt):
    """What a signal raises. Unlike a plain KeyboardInterrupt, it can be referred to weakly."""


class _Listener:
    """What the process does at a signal: end at once, or raise where there is work to put away."""

    def __init__(self) -> None:
        self.received = 0  # the number of the first signal
        self.line = "python -m resnet_lesson: stopped; nothing was begun: run it again"
        self.working = False
        self.held = 0  # contexts in which a signal has to wait
        self.waits = False
        self._raised: weakref.ref[Stop] | None = None
        # While TensorFlow is imported, what is written to descriptor 2 is not shown.
        self._stderr = os.dup(2) if _is_open(2) else None

    def handle(self, number: int, frame: Any = None) -> None:
        self.received = self.received or number
        if not self.working:
            self._end_at_once()
        if self.held:
            self.waits = True
            return
        self._ask_again()
        if self._raised and self._raised():
            return  # it is on its way up, and what is being put away must not be disturbed
        stop = Stop()
        self._raised = weakref.ref(stop)
        try:
            raise stop
        finally:
            del stop  # in this frame, which the traceback holds, it would never be seen as lost

    def _ask_again(self) -> None:
        """Call ``handle`` again soon: C code that calls Python may drop what is raised there."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, AGAIN)

    def _end_at_once(self) -> NoReturn:
        with contextlib.suppress(OSError):
            if self._stderr is not None:
                os.write(self._stderr, f"{self.line}\n".encode(errors="backslashreplace"))
        os._exit(128 + self.received)


_listener: _Listener | None = None


def listen() -> None:
    """From here on, a signal ends this process: at once, or as ``working`` says."""
    global _listener
    _listener = _Listener()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and the like wish it
            signal.signal(number, _listener.handle)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _listener.handle)
    others = sys.unraisablehook
    sys.unraisablehook = lambda lost: None if lost.exc_type is Stop else others(lost)


def announce(line: str) -> None:
    """Set the line that a process prints which is ended at once."""
    if _listener:
        _listener.line = line


def received() -> int:
    """The number of the signal that came, 0 for none, or where nobody listens."""
    return _listener.received if _listener else 0


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Within this context there is work to put away, and a signal raises a KeyboardInterrupt.

    So it ends, also where a library has made another exception of it.
    """
    if not _listener:
        yield
        return
    _listener.working = True
    try:
        yield
    except Exception as error:
        if received():
            raise Stop from error
        raise
    finally:
        _listener.working = False


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """A signal that comes within this context is heeded at its end."""
    if not _listener:
        yield
        return
    _listener.held += 1
    try:
        yield
    finally:
        _listener.held -= 1
        if _listener.waits and not _listener.held:
            _listener.waits = False
            _listener.handle(_listener.received)


def finish() -> None:
    """From here on, all is done or said: signals are ignored while Python ends."""
    if _listener:
        for number in (*SIGNALS, *([signal.SIGALRM] if hasattr(signal, "SIGALRM") else [])):
            signal.signal(number, signal.SIG_IGN)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
