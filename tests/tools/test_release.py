"""A release has one version, wherever it is written."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_package_citation_and_changelog_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    cited = dict(re.findall(r"^(version|date-released|license): (\S+)$", citation, re.MULTILINE))
    version, date = re.findall(r"^## (\d\S*) \((\S+)\)$", changes, re.MULTILINE)[0]
    assert version == project["version"] == cited["version"]
    assert date == cited["date-released"]
    assert project["license"] == cited["license"]
