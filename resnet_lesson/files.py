"""Files that are whole or untouched, whatever stops the writing."""

import contextlib
import os
from pathlib import Path


@contextlib.contextmanager
def whole(path):
    """A path beside ``path`` to write to: it takes that place at the end, an error removes it."""
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
