"""Files that are whole or untouched, whatever stops the writing, and JSON that a diff can show."""

import contextlib
import json
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


def table(head, name, rows):
    """JSON of the dict ``head`` and, as its last entry ``name``, a list with one item a line.

    Raises:
        ValueError: a number that JSON does not have, such as NaN.
    """
    lines = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
    text = json.dumps(head, indent=1, allow_nan=False).removesuffix("\n}")
    return f'{text},\n "{name}": [\n{lines}\n]}}\n'


def rounded(value):
    """A float with six digits that matter, as more would be noise in a diff; others as they are."""
    return float(f"{value:.6g}") if isinstance(value, float) else value
