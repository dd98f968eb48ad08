"""What Binder would build, read from repo2docker's plan: its exit status alone proves little."""

from pathlib import Path

import clones
import pytest

import binder

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    # Only what git knows: a clone on Binder has no .venv.
    clone = tmp_path_factory.mktemp("clone")
    clones.copy(clone, clones.tracked())
    return binder.plan(clone)


def test_python_is_the_lessons(plan):
    assert "Building conda environment for python=3.11" in plan


def test_requirements_are_the_lessons(plan):
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in plan


def test_package_is_installed(plan):
    assert "RUN ./binder/postBuild" in plan
    assert "pip install --no-deps ." in (ROOT / "binder/postBuild").read_text(encoding="utf-8")
    assert (ROOT / "binder/postBuild").stat().st_mode & 0o111
