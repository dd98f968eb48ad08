"""What every widget hands to the browser: its sources, messages, and words and a picture.

The words and the picture are for where no widget can run, such as a code host.
"""

import base64
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..output import without_surrogates

FOLDER = Path(__file__).parent
Bundle = tuple[dict[str, Any], dict[str, Any]]  # data by MIME type, and metadata


def read_sources(*names: str) -> str:
    """The text of these files, one after the other; names are relative to this folder.

    A widget's JavaScript is one module that can import nothing, so its files are joined.
    """
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def to_message(value: Any, widget: Any = None) -> Any:
    """A value whose text can be sent as UTF-8; a trait's ``to_json``."""
    return without_surrogates(value)


def with_fallback(
    bundle: Bundle | None, words: str, draw: Callable[[], bytes] | None = None
) -> Bundle:
    """A widget's bundle with ``words``, which must not vary between runs, and the PNG of ``draw``.

    Where drawing fails, a warning says so: the widget and its words are worth more.
    """
    data, metadata = bundle or ({}, {})
    data["text/plain"] = without_surrogates(words)
    if draw is not None:
        try:
            data["image/png"] = base64.b64encode(_drawn(draw)).decode()
        except Exception as error:
            warnings.warn(
                f"the widget is shown without its picture, which cannot be drawn: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
    return data, metadata


def _drawn(draw: Callable[[], bytes]) -> bytes:
    from .. import plots

    with plots.closed_on_error():
        return draw()
