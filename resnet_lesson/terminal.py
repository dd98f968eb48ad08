"""What a command says on the terminal: work does not end because nobody reads on."""

import contextlib
import os
import sys


def say(line):
    """Print a line if there is anybody to read it, in characters that the terminal has."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except (OSError, ValueError):  # it is full, or closed
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            # Python would try again at its end, and complain.
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def console():
    """A rich ``Console`` for progress bars, on the standard output there is, if there is one."""
    from rich.console import Console

    return Console(file=_Heedless(sys.stdout))


class _Heedless:
    """A stream on which writing never fails.

    With the stream itself, rich ends the process where a pipe breaks.
    """

    def __init__(self, stream):
        self._stream = stream  # None where there is none, or no more

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        self._try("write", text)
        return len(text)

    def flush(self):
        self._try("flush")

    def _try(self, name, *arguments):
        try:
            if self._stream is not None:
                getattr(self._stream, name)(*arguments)
        except (OSError, ValueError):  # a closed file is a ValueError
            self._stream = None
