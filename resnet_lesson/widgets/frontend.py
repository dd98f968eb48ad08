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
from ipywidgets import Layout

from ..checks import check_rule, shown
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


class Checked(traitlets.TraitType[Any, Any]):
    """A trait with a rule: ``check`` takes its name and a value, and returns what is kept.

    The ValueError of a check becomes a TraitError.
    """

    def __init__(self, default: Any, check: Callable[..., Any], *given: Any) -> None:
        super().__init__(default)
        self.check, self.given = check, given

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            return self.check(self.name, value, *self.given)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from error


def check_hidden(what: str, value: Any, names: Sequence[str]) -> tuple[str, ...]:
    """The names of controls that a teacher hides, of those that may be hidden.

    Raises:
        ValueError: the value is anything else.
    """
    is_right = isinstance(value, (list, tuple)) and all(
        isinstance(name, str) and name in names for name in value
    )
    check_rule(what, value, f"be a list or tuple of names of {', '.join(names)}", is_right)
    return tuple(value)


def _shows_outputs_its_own_way() -> bool:
    """Whether this is Colab or VS Code, whose pages the rules of NOT_ALIVE do not fit."""
    return "google.colab" in sys.modules or "VSCODE_PID" in os.environ


class LessonWidget(anywidget.AnyWidget):
    """A widget with words and a picture, for where no widget can run, such as a code host.

    ``_from_page`` names the traits that a front end may set. A name that is no trait's is refused:
    traitlets would only warn of it.
    """

    _from_page: ClassVar[Sequence[str]] = ()
    _own_layout: Layout | None = None  # which nobody else may use

    def __init__(self, **traits: Any) -> None:
        for name in traits:
            if not self.has_trait(name):
                raise TypeError(
                    f"an argument of {type(self).__name__} must be one of "
                    f"{', '.join(self._arguments_taken())}, received {shown(name)}"
                )
        super().__init__(**traits)
        if not isinstance(traits.get("layout"), Layout):
            self._own_layout = self.layout

    def _arguments_taken(self) -> list[str]:
        """What a reader may give when one is made."""
        parameters = inspect.signature(type(self)).parameters.values()
        own = [each.name for each in parameters if each.kind != each.VAR_KEYWORD]
        return [*own, *self._from_page, *(["hide"] if self.has_trait("hide") else [])]

    def close(self) -> None:
        """Close the widget, and the layout that it was made with."""
        super().close()
        if self._own_layout is not None:
            self._own_layout.close()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a front end sends of the traits that it may set.

        Raises:
            traitlets.TraitError: something is not allowed. Then nothing changes.
        """
        names = [name for name in sync_data if name in self._from_page]
        mine = {name: without_surrogates(sync_data[name]) for name in names}
        for name, value in mine.items():  # before ipywidgets sends it to the other views
            self.traits()[name]._validate(self, value)
        super().set_state(mine)

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        """Obey a message of a front end; one that cannot be obeyed changes nothing.

        ipywidgets would show a traceback. The front end gets back what counts.
        """
        match msg["content"].get("data"):
            case {"method": "update", "state": dict(state)}:
                try:
                    self.set_state(state)
                except (traitlets.TraitError, RecursionError):
                    self.send_state([name for name in state if name in self.keys])
            case {"method": "request_state"}:
                self.send_state()
            case {"method": "custom", "content": content}:
                self._handle_custom_msg(content, msg.get("buffers"))

    def _fallback(self) -> tuple[str, Callable[[], bytes] | None]:
        """Words, which must not vary between runs, and what draws a PNG; None for no picture."""
        raise NotImplementedError

    def _ipython_display_(self) -> None:
        """Show the widget and, in front of it, what is seen where it is not alive."""
        # Of the class: ipywidgets takes that of a widget that it closes.
        data, metadata = type(self)._repr_mimebundle_(self)
        if "image/png" in data and not _shows_outputs_its_own_way():
            display({"text/html": NOT_ALIVE, "text/plain": "A saved picture:"}, raw=True)
            picture = {"image/png": data.pop("image/png"), "text/plain": data["text/plain"]}
            display(picture, raw=True)
        display(data, metadata=metadata, raw=True)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, its words and its picture by MIME type, and metadata.

        Where drawing fails, a warning says so: the widget and its words are worth more.
        """
        alive = self.comm is not None
        data, metadata = (alive and super()._repr_mimebundle_(**options)) or ({}, {})
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
