"""What the widgets have in common: how they reach the browser, a notebook and files."""

import base64
import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget

from ..files import atomic_write
from ..output import without_surrogates

FOLDER = Path(__file__).parent


def read_bundle(widget: str) -> tuple[str, str]:
    """The JavaScript and the CSS of the widget in this folder, as `make bundles` bundles them."""
    texts = (FOLDER / widget / f"bundle.{kind}" for kind in ("js", "css"))
    script, style = (text.read_text(encoding="utf-8") for text in texts)
    return script, style


def to_message(value: Any, widget: Any = None) -> Any:
    """A value whose text can be sent as UTF-8; a trait's ``to_json``."""
    return without_surrogates(value)


def write_json(path: str | os.PathLike[str], make: Callable[[], Any]) -> str | os.PathLike[str]:
    """Write what ``make`` returns as JSON on one line, atomically, and return the path.

    Where nothing can be written, that fails before ``make`` is called, which may take minutes.
    """
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(make(), separators=(",", ":")) + "\n", encoding="utf-8")
    return path


class LessonWidget(anywidget.AnyWidget):
    """A widget with words and a picture, for where no widget can run, such as a code host."""

    def _fallback(self) -> tuple[str, Callable[[], bytes] | None]:
        """Words, which must not vary between runs, and what draws a PNG; None for no picture."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, its words and its picture by MIME type, and metadata.

        Where drawing fails, a warning says so: the widget and its words are worth more.
        """
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        words, draw = self._fallback()
        data["text/plain"] = without_surrogates(words)
        if draw is not None:
            try:
                from .. import plots

                with plots.closed_on_error():
                    data["image/png"] = base64.b64encode(draw()).decode()
            except Exception as error:
                warnings.warn(
                    f"{type(self).__name__} is shown without its picture, which cannot be drawn: "
                    f"{type(error).__name__}: {error}",
                    stacklevel=1,
                )
        return data, metadata
