"""Ctrl-C that stops a training, also where its exception gets lost."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .. import stopping


@contextlib.contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """A function that raises a KeyboardInterrupt if Ctrl-C was pressed since the context began.

    On the command line, after a SIGTERM as well.

    Python raises it where it happens to be, and that is mostly where NumPy waits for an array of
    JAX's, and takes any exception for a reason to try another way.
    """
    pressed: list[int] = []

    def check() -> None:
        if pressed or stopping.received():
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not (is_main and callable(before)):  # it comes to others, or means nothing
        yield check
        return

    def press(number: int, frame: Any) -> None:
        pressed.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, press)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
