"""Widgets on a page: an element for each, and its traits in a script beside the page.

A page from a file may fetch nothing, so the traits are a classic script, which any page may have.
"""

import hashlib
import html
import json
from pathlib import Path
from typing import ClassVar

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive

import resnet_lesson

KINDS = {
    "ArchitectureBuilder": "builder",
    "GradientExplorer": "explorer",
    "LesionExplorer": "lesions",
    "TrainingPanel": "panel",
}
FOLDER = "traits"  # below the site's static files


def kept(traits):
    """What the page needs: not the module, which all pages share, nor what ipywidgets adds."""
    own = {name for name in traits if not name.startswith("_")}
    return {name: traits[name] for name in own - {"layout", "tabbable", "tooltip"}}


def script(key, traits):
    """JavaScript that hands the traits to the page's script."""
    text = json.dumps(kept(traits), sort_keys=True, separators=(",", ":"))
    return f"lesson({json.dumps(key)}, {text});\n"


def element(kind, traits, stand_in, static, shared, name=None):
    """HTML for a widget of this kind, and its traits as a script below ``static``.

    Args:
        kind: what the page's script calls it.
        traits: all that the widget has saved.
        stand_in: HTML that is seen until the widget is alive.
        static: the folder of the site's static files, to write to.
        shared: the address of that folder, as the page has it.
        name: of the widget in links to what it shows; None for a widget that has no such link.
    """
    text = script("", traits)
    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = Path(static, FOLDER, f"{key}.js")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script(key, traits), encoding="utf-8")
    link = f' data-name="{name}"' if name else ""
    return (
        f'<div class="lesson-widget" data-widget="{kind}" data-traits="{key}"{link}>{stand_in}'
        f'</div><script defer src="{shared}/{FOLDER}/{key}.js"></script>'
    )


def picture(words, png):
    """What stands in for a widget: its picture, or its words where it has none."""
    words = html.escape(words)
    return f'<img alt="{words}" src="data:image/png;base64,{png}">' if png else f"<p>{words}</p>"


def of(widget, static, shared, name=None):
    """``element`` for a widget as it is now."""
    data, _ = widget._repr_mimebundle_()
    stand_in = picture(data["text/plain"], data.get("image/png"))
    return element(KINDS[type(widget).__name__], widget.get_state(), stand_in, static, shared, name)


class Widget(Directive):
    """A widget of the lesson, or the race: its class, and what it begins with as YAML.

    Raises:
        docutils' error: there is no such widget, or it refuses its traits.
    """

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"name": str}

    def run(self):
        environment = self.state.document.settings.env
        traits = yaml.safe_load("\n".join(self.content)) or {}
        up = "../" * environment.docname.count("/")
        place = (environment.srcdir / "_static", f"{up}_static", self.options.get("name"))
        return [nodes.raw("", self.made(self.arguments[0], traits, place), format="html")]

    def made(self, kind, traits, place):
        if kind == "Race":  # which has no class in Python
            return element("race", traits, "<p>The race needs JavaScript.</p>", *place)
        try:
            return of(getattr(resnet_lesson, kind)(**traits), *place)
        except Exception as error:
            raise self.error(f"{kind}: {error}") from error


def setup(app):
    app.add_directive("lesson-widget", Widget)
    return {"parallel_read_safe": False}
