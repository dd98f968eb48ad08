"""Silence while a library starts that prints from C++, past Python's own streams."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import IO


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Suppress what C++ writes to file descriptor 2; show it if the body fails."""
    _open_standard_outputs()
    with contextlib.suppress(AttributeError, OSError, ValueError):  # missing, full or closed
        sys.stderr.flush()
    saved = os.dup(2)
    with _temporary_file() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except Exception:
            captured.seek(0)
            with contextlib.suppress(OSError):
                os.write(saved, captured.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _open_standard_outputs() -> None:
    """Open descriptors 1 and 2 on the null device if they are closed.

    Otherwise the next files to be opened have these numbers, and get what C++ prints.
    """
    for number in (1, 2):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            if null != number:
                os.dup2(null, number)
                os.close(null)


def _temporary_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError:  # a full disk
        return open(os.devnull, "w+b")
