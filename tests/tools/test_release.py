"""A release has one version, wherever it is written."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_package_citation_and_changelog_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, date = re.findall(r"^## (\d\S*) \((\S+)\)$", changes, re.MULTILINE)[0]
    assert version == project["version"] == citation["version"]
    assert date == str(citation["date-released"])
    assert citation["license"] == project["license"]
