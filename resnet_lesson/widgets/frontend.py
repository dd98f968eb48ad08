"""What the widgets have in common: how they reach the browser, a notebook and files."""

import base64
import inspect
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.display import display

from ..files import atomic_write
from ..output import without_surrogates

FOLDER = Path(__file__).parent
# Stands above the picture of a widget that is not alive. JupyterLab shows "model not found" in the
# place of a widget whose kernel has gone: the rules hide that, and hide line and picture as soon as
# the widget is there. The three are neighbours, in this order.
NOT_ALIVE = """<style>
.jp-OutputArea-child:has(.lesson-saved):has(+ * + * [class^="resnet-"]),
.jp-OutputArea-child:has(.lesson-saved) + :has(+ * [class^="resnet-"]),
.jp-OutputArea-child:has(.lesson-saved) + * + * .jupyter-widgets:not(:has(*)) { display: none }
</style><p class="lesson-saved">This is a still picture.
Run this cell (click it, then press Shift + Enter), and you can use it.</p>"""


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


class Hidden(traitlets.TraitType[Any, Any]):
    """The names of controls that a teacher hides, of those that may be hidden."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(())
        self.names = names

    def validate(self, obj: Any, value: Any) -> tuple[str, ...]:
        if isinstance(value, (list, tuple)) and all(name in list(self.names) for name in value):
            return tuple(value)
        raise traitlets.TraitError(
            f"{self.name} must be a list or tuple of names of {', '.join(self.names)}, "
            f"received {value!r}"
        )


def _shows_outputs_its_own_way() -> bool:
    """Whether this is Colab or VS Code, whose pages the rules of NOT_ALIVE do not fit."""
    return "google.colab" in sys.modules or "VSCODE_PID" in os.environ


class LessonWidget(anywidget.AnyWidget):
    """A widget with words and a picture, for where no widget can run, such as a code host.

    ``_from_page`` names the traits that a front end may set. A name that is no trait's is refused:
    traitlets would only warn of it.
    """

    _from_page: ClassVar[Sequence[str]] = ()

    def __init__(self, **traits: Any) -> None:
        for name in traits:
            if not self.has_trait(name):
                raise TypeError(
                    f"an argument of {type(self).__name__} must be one of "
                    f"{', '.join(self._arguments_taken())}, received {name!r}"
                )
        super().__init__(**traits)

    def _arguments_taken(self) -> list[str]:
        """What a reader may give when one is made."""
        parameters = inspect.signature(type(self)).parameters.values()
        own = [each.name for each in parameters if each.kind != each.VAR_KEYWORD]
        return [*own, *self._from_page, *(["hide"] if self.has_trait("hide") else [])]

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a front end sends of the traits that it may set."""
        mine = {name: value for name, value in sync_data.items() if name in self._from_page}
        super().set_state(mine)

    def _fallback(self) -> tuple[str, Callable[[], bytes] | None]:
        """Words, which must not vary between runs, and what draws a PNG; None for no picture."""
        raise NotImplementedError

    def _ipython_display_(self) -> None:
        """Show the widget and, in front of it, what is seen where it is not alive."""
        data, metadata = self._repr_mimebundle_()
        if "image/png" in data and not _shows_outputs_its_own_way():
            display({"text/html": NOT_ALIVE, "text/plain": "A saved picture:"}, raw=True)
            picture = {"image/png": data.pop("image/png"), "text/plain": data["text/plain"]}
            display(picture, raw=True)
        display(data, metadata=metadata, raw=True)

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
