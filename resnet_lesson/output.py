"""What leaves the process: lines on a terminal that may be gone, and text of users.

Work does not end because nobody reads on.
"""

import contextlib
import os
import sys


def print_line(line):
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


def without_surrogates(data):
    """Text with a replacement character for each half of a surrogate pair, which no encoding has.

    Such a text is the name of a file that is not UTF-8, for one. Of lists and dicts, every text in
    them; anything else as it is.
    """
    if isinstance(data, str):
        return data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(data, dict):
        return {without_surrogates(key): without_surrogates(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [without_surrogates(item) for item in data]
    return data


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
