"""What Binder would build, read from repo2docker's plan: its exit status alone proves little."""

import subprocess
from pathlib import Path

import pytest

import binder

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    # Only what git knows: a clone on Binder has no .venv.
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    clone = tmp_path_factory.mktemp("clone")
    for name in filter(None, files):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_bytes((ROOT / name).read_bytes())
        (clone / name).chmod((ROOT / name).stat().st_mode)
    return binder.plan(clone)


def test_python_is_the_lessons(plan):
    assert "Building conda environment for python=3.11" in plan


def test_requirements_are_the_lessons(plan):
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in plan


def test_package_is_installed(plan):
    assert "RUN ./binder/postBuild" in plan
    assert "pip install --no-deps ." in (ROOT / "binder/postBuild").read_text(encoding="utf-8")
    assert (ROOT / "binder/postBuild").stat().st_mode & 0o111
