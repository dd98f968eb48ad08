"""The project's address has one home, and every link agrees with it."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import links  # noqa: E402

PAGES = [
    *ROOT.glob("*.md"),
    *(
        page
        for room in ("docs", "benchmarks", "experiments")
        for page in (ROOT / room).rglob("*.md")
    ),
    *sorted(ROOT.glob("notebooks/*.ipynb")),
]
OURS = re.compile(
    r"https://(?:mybinder\.org/v2/gh|colab\.research\.google\.com/github)/([\w.-]+/[\w.-]+)"
)
ADDRESS = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)")


def test_nothing_is_out_of_date():
    assert list(links.outdated()) == []


def test_a_new_address_reaches_every_link_and_so_does_the_next(tmp_path, monkeypatch):
    first = links.slug()
    for folder in ("notebooks", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for page in [*ROOT.glob("*.md"), ROOT / "CITATION.cff"]:
        shutil.copy(page, tmp_path)
    monkeypatch.setattr(links, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["links.py"])
    for slug in ("someone/else", "third-owner/a.name"):
        monkeypatch.setattr(links, "slug", lambda slug=slug: slug)
        assert len(links.outdated()) == 9  # set-up cell, citation, README, six notebooks
        links.main()
        assert links.outdated() == {}
        moved = [
            tmp_path / "README.md",
            tmp_path / "CITATION.cff",
            *tmp_path.glob("notebooks/*.ipynb"),
        ]
        for text in (path.read_text(encoding="utf-8") for path in moved):
            assert slug in ADDRESS.findall(text)
            assert first not in ADDRESS.findall(text)
            assert set(OURS.findall(text)) <= {slug}


def test_launch_links_lead_to_this_project():
    found = OURS.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found
    assert set(found) == {links.slug()}


def prose(page):
    """The text of a page; of a notebook without its code, outputs and widgets."""
    if page.suffix == ".md":
        return page.read_text(encoding="utf-8")
    cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_exist(page):
    for target, heading in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", prose(page)):
        if target.startswith(("http", "attachment:")):
            continue
        linked = page.parent / target if target else page
        assert linked.exists(), target
        if heading:
            assert plain(heading) in headings(linked), f"{target}#{heading}"


def plain(heading):
    """GitHub writes a heading in small letters in its address, and Jupyter does not."""
    return re.sub(r"[^\w-]", "", heading.strip().replace(" ", "-")).lower()


def headings(page):
    return {plain(line) for line in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)}


def test_every_complaint_has_a_test_that_exists():
    rows = (ROOT / "docs/complaints.md").read_text(encoding="utf-8").splitlines()[7:]
    assert len(rows) == 11
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for row in rows:
        tests = re.findall(r"`(tests/\S+)::(\w+)`", row)
        commands = re.findall(r"`make ([\w-]+)`", row)
        assert tests or commands, row
        for file, name in tests:
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{name}"
        for command in commands:
            assert f"\n{command}:" in makefile
