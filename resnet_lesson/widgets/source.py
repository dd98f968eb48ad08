"""The browser's side of the widgets: what is shared, in ``chart``, and each one's own."""

from pathlib import Path

FOLDER = Path(__file__).parent


def read_sources(*parts):
    """The text of these files, one after the other."""
    return "\n".join((FOLDER / part).read_text(encoding="utf-8") for part in parts)
