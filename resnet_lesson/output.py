"""What leaves the process: lines on a terminal that may be gone, text of users, plain numbers.

Work does not end because nobody reads its output any more.
"""

import contextlib
import logging
import math
import os
import sys
from collections.abc import Iterator
from typing import Any

LONGEST = 2000  # characters of a line: a path may have hundreds


def visible(text: object) -> str:
    """Text in one line that commands no terminal and keeps its order there.

    The name of a file may have control characters, line breaks and marks that turn the direction of
    what follows. All that is not printable is written as an escape, as ``repr`` does, and a line of
    thousands of characters is cut in its middle.
    """
    line = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(text)
    )
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]}...{line[-LONGEST // 2 :]}"


def print_line(line: str) -> None:
    """Print a visible line in characters that the terminal has; if there is none, go on."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(visible(line).encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except (OSError, ValueError):  # it is full, or closed
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as null:
            # Python would try again at its end, and complain.
            os.dup2(null.fileno(), sys.stdout.fileno())


@contextlib.contextmanager
def quiet_matplotlib() -> Iterator[None]:
    """Import matplotlib without what it logs where it has no cache yet, or no place for one.

    In a notebook that would stand on stderr, above the first picture. Keras imports it, too.
    """
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def console() -> Any:
    """A rich ``Console`` for progress bars, on the standard output if there is one."""
    from rich.console import Console

    stream: Any = _LossyStream(sys.stdout)
    return Console(file=stream)


def without_surrogates(data: Any) -> Any:
    """Text with a replacement character for each half of a surrogate pair, which no encoding has.

    The name of a file that is not UTF-8 has such halves, for one. In lists and dicts, every text is
    replaced; anything else stays as it is.
    """
    if isinstance(data, str):
        return data.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(data, dict):
        return {without_surrogates(key): without_surrogates(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [without_surrogates(item) for item in data]
    return data


def plain(value: float, digits: int = 2) -> str:
    """A number to so many digits as one reads it: 140, 0.007, 48,000, 2·10⁻¹²."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    value = float(f"{value:.{digits - 1}e}")
    if not 1e-4 <= abs(value) < 1e7:
        return power(value)
    written = f"{value:,.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def power(value: float) -> str:
    """A power of ten, or a few times one, with raised digits."""
    times, exponent = f"{value:e}".split("e")
    if int(exponent) in (0, 1):
        return f"{value:g}"
    raised = str(int(exponent)).translate(RAISED)
    few = f"{float(times):g}"
    return f"10{raised}" if few == "1" else f"{few}·10{raised}"


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


# Of a stream that is full or broken, of one that is closed, and of None.
_NO_OUTPUT = (OSError, ValueError, AttributeError)


class _LossyStream:
    """A stream on which writing never fails.

    With the stream itself, rich ends the process where a pipe breaks.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream  # None where there is none

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with contextlib.suppress(*_NO_OUTPUT):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(*_NO_OUTPUT):
            self._stream.flush()
