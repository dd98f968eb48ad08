"""The project's address has one home, and every link agrees with it."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import links  # noqa: E402

PAGES = [*ROOT.glob("*.md"), *sorted(ROOT.glob("notebooks/*.ipynb"))]
OURS = re.compile(
    r"https://(?:mybinder\.org/v2/gh|colab\.research\.google\.com/github)/([\w.-]+/[\w.-]+)"
)


def test_nothing_is_out_of_date():
    assert list(links.outdated()) == []


def test_another_owner_reaches_every_link(monkeypatch):
    monkeypatch.setattr(links, "slug", lambda: "someone/else")
    changed = links.outdated()
    assert ROOT / "README.md" in changed
    assert len([path for path in changed if path.suffix == ".ipynb"]) == 5
    for text in changed.values():
        assert "https://github.com/resnet-lesson/resnet-lesson" not in text
        assert set(OURS.findall(text)) <= {"someone/else"}


def test_launch_links_lead_to_this_project():
    found = OURS.findall((ROOT / "README.md").read_text())
    assert found
    assert set(found) == {links.slug()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_exist(page):
    for target in re.findall(r"\]\(([^)#\s]+?)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http", "attachment:")):
            assert (page.parent / target).exists(), target
