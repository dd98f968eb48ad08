"""Carry the project's address from pyproject.toml, and the set-up cell, to where they are used.

``python tools/links.py`` rewrites; ``--check`` only says what is out of date.
"""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
# Where an owner/name can only be this project's, whatever it was called before: launchers,
# installs, clones, the citation, and the set-up cell (its quote is escaped inside a notebook's
# JSON).
PLACES = re.compile(
    r"(https://mybinder\.org/v2/gh/|https://colab\.research\.google\.com/github/"
    r"|(?:git\+|git clone |repository = \\?\"|repository-code: )https://github\.com/)[\w.-]+/[\w.-]*\w"
)
# The lesson's pages, which the code host serves.
SITE = re.compile(r"https://[\w-]+\.github\.io/[\w.-]+/")
# What makes JupyterLab and Colab show a line in place of a cell's code.
FOLDED: dict[str, Any] = {"cellView": "form", "jupyter": {"source_hidden": True}}


def slug():
    """``owner/name`` of the one address, in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].removeprefix("https://github.com/").rstrip("/")


def site():
    """The address of the lesson's pages."""
    owner, name = slug().split("/")
    return f"https://{owner}.github.io/{name}/"


def addressed(text):
    return SITE.sub(site(), PLACES.sub(lambda match: match[1] + slug(), text))


def setup_cell():
    return addressed((ROOT / "tools/setup_cell.py").read_text(encoding="utf-8").strip())


def updated(path):
    """The text that the file should have."""
    text = addressed(path.read_text(encoding="utf-8"))
    if path.suffix != ".ipynb":
        return text
    notebook = json.loads(text)
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    source = setup_cell().splitlines(keepends=True)
    if first["source"] == source and first["metadata"].items() >= FOLDED.items():
        return text
    first["source"] = source
    first["metadata"] |= FOLDED
    # As nbformat writes it, so that nothing else in the file changes.
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def outdated():
    """The files that disagree with pyproject.toml or the set-up cell, as path -> new text."""
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    pages = [*documents, *sorted(ROOT.glob("notebooks/*.ipynb"))]
    paths = [ROOT / "tools/setup_cell.py", ROOT / "CITATION.cff", *pages]
    texts = {path: updated(path) for path in paths}
    return {path: text for path, text in texts.items() if path.read_text(encoding="utf-8") != text}


def main():
    changes = outdated()
    for path, text in changes.items():
        print("out of date:", path.relative_to(ROOT))
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    return int("--check" in sys.argv and bool(changes))


if __name__ == "__main__":
    sys.exit(main())
