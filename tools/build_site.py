"""Build the lesson's pages: they compute in the browser, and need no kernel, no server, no network.

``python tools/build_site.py`` writes them into site/. Sphinx reads the sources that this prepares:
the notebooks without what only a kernel needs, the documents, and one script for all pages.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import bundle
import links
import nbformat
from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx.cmd.build import build_main
from web import lessons

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "tools/web"
HOME = "docs/index.md"
PAGES = ("docs/*.md", "notebooks/*.ipynb")
IMPORT = re.compile(r'^@import "\.\./chart/(?:elements|maps)\.css";\n', re.MULTILINE)
# Code, which stays as it is, or the target of a link that is no whole address.
LINK = re.compile(
    r"(?P<code>```.*?```|`[^`]*`)|\]\((?![a-z]+:|#)(?P<to>[^)#\s]+)(?P<anchor>#[^)\s]+)?\)",
    re.DOTALL,
)


def sources():
    """The files that become pages, by their paths in the repository."""
    return [path.relative_to(ROOT) for pattern in PAGES for path in sorted(ROOT.glob(pattern))]


def linked(text, path):
    """The text of this file, whose links lead to other pages or, where there is none, into the
    repository."""
    pages = {str(page) for page in sources()} - {HOME}

    def target(match):
        if match["code"] or match["to"].startswith("images/"):
            return match[0]
        to, anchor = (ROOT / path.parent / match["to"]).resolve(), match["anchor"] or ""
        to = to.relative_to(ROOT)
        if str(to) in pages:
            # JupyterLab writes the anchor of a heading in another way.
            words = anchor.removeprefix("#").replace("-", " ")
            return f"]({match['to']}{anchor and '#' + default_slugify(words)})"
        return f"](https://github.com/{links.slug()}/blob/HEAD/{to}{anchor})"

    return LINK.sub(target, text)


def stage_notebook(path, folder):
    notebook = nbformat.read(ROOT / path, 4)
    try:
        lessons.page(notebook, path.name, folder / "_static")
    except ValueError as error:
        raise SystemExit(f"{path}: {error}") from error
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = linked(cell.source, path)
    nbformat.write(notebook, folder / path)


def stage(folder):
    """Write into this folder all that Sphinx reads."""
    (folder / "docs").mkdir()
    for path in sources():
        if path.suffix == ".ipynb":
            (folder / path.parent).mkdir(exist_ok=True)
            stage_notebook(path, folder)
        else:
            text = linked((ROOT / path).read_text(encoding="utf-8"), path)
            (folder / path).write_text(text, encoding="utf-8")
    # The home page stands above all others.
    home = (folder / HOME).read_text(encoding="utf-8")
    home = re.sub(r"\]\((\w+\.md)", r"](docs/\1", home).replace("](../", "](")
    (folder / "index.md").write_text(home, encoding="utf-8")
    (folder / HOME).unlink()
    for images in ("docs/images", "notebooks/images"):
        shutil.copytree(ROOT / images, folder / images)
    bundle_page(folder / "_static")


def bundle_page(folder):
    """Write the script and the style sheet of all pages into this folder."""
    entry = f"lesson={WEB / 'page.js'}"
    bundle.esbuild(entry, f"--outdir={folder}", "--minify", "--format=iife")
    (folder / "lesson.css").write_text(style(), encoding="utf-8")


def style():
    """One sheet: what widgets share comes first, so that what each has of its own counts more."""
    own = [bundle.WIDGETS / name / f"{name}.css" for name in bundle.NAMES]
    shared = [bundle.WIDGETS / "chart" / name for name in ("elements.css", "maps.css")]
    texts = [path.read_text(encoding="utf-8") for path in (*shared, *own, WEB / "page.css")]
    return "".join(IMPORT.sub("", text) for text in texts)


def may_be_replaced(folder):
    """Whether nobody's files are lost with this folder: it is none, empty, or an older site."""
    if folder.is_dir():
        return not any(folder.iterdir()) or (folder / "searchindex.js").exists()
    return not folder.exists()


def put(made, output):
    """Make a copy of the pages ``output``, in the place of an older one."""
    part = output.with_name(f"{output.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a build that was interrupted
    shutil.copytree(made, part, ignore=shutil.ignore_patterns("*.map"))
    shutil.rmtree(output, ignore_errors=True)
    part.rename(output)


def main(output):
    """Build all pages into this folder, which is made anew.

    Raises:
        SystemExit: the folder holds something else, a notebook was not executed, or Sphinx found
            fault with something; an older site stays as it was.
    """
    output = output.resolve()
    if not may_be_replaced(output):
        raise SystemExit(f"the folder for the site must be empty or an older site: {output}")
    with tempfile.TemporaryDirectory() as work:
        folder, made = Path(work, "pages"), Path(work, "site")
        folder.mkdir()
        stage(folder)
        options = ["-c", str(ROOT / "docs"), "-d", str(Path(work, "doctrees"))]
        options += ["-D", f"html_static_path={folder / '_static'}"]
        if build_main(["-q", "-W", "--keep-going", *options, str(folder), str(made)]):
            raise SystemExit("Sphinx could not build the pages without a warning")
        put(made, output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", nargs="?", type=Path, default=ROOT / "site")
    sys.exit(main(parser.parse_args().output))
