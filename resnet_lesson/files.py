"""Files that are whole or untouched, whatever stops the writing."""

import contextlib
import os
from pathlib import Path


@contextlib.contextmanager
def whole(path):
    """A path beside ``path`` to write to: it takes that place at the end, an error removes it.

    Its name ends as that of ``path`` does, for writers that go by the ending.
    """
    path = Path(path)
    part = path.with_name(f"{os.getpid()}.part.{path.name}")
    try:
        yield part
        with part.open("r+b") as written:
            os.fsync(written.fileno())  # a power cut after the replacement must not find it empty
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
