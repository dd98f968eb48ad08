"""A notebook runs wherever it lies and whatever it is called, and whoever runs it."""

import subprocess
import sys
from pathlib import Path

import clones
import nbformat
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "notebooks/02_identity_shortcut.ipynb"  # it reads records, and trains
RUN = f"""
import sys
sys.path.insert(0, {str(ROOT / "tools")!r})
import notebook_runs
notebook_runs.run(sys.argv[1], sys.argv[2])
"""


def said(notebook):
    """What each code cell printed."""
    return [
        "".join(output.get("text", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def stripped(notebook):
    """As tools for version control keep it: without outputs, numbers of runs and widgets."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def test_papermill_runs_it_stripped_renamed_and_from_another_folder(tmp_path):
    committed = nbformat.read(NOTEBOOK, nbformat.current_nbformat)
    expected = said(committed)
    (tmp_path / "far away").mkdir()
    alone, ran = tmp_path / "far away/mine (2).ipynb", tmp_path / "ran.ipynb"
    nbformat.write(stripped(committed), alone)
    papermill = [sys.executable, "-m", "papermill", "--no-progress-bar", alone, ran]
    done = subprocess.run(papermill, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said(nbformat.read(ran, nbformat.current_nbformat)) == expected


@pytest.fixture
def read_only(tmp_path):
    """A clone in which nothing can be written or changed."""
    clone = tmp_path / "clone"
    clones.copy(clone, clones.tracked("notebooks", "resnet_lesson", "pyproject.toml"))
    clones.make_read_only(clone)
    yield clone
    clones.make_writable(clone)


def test_it_runs_in_a_clone_that_cannot_be_written_to_without_a_home(tmp_path, read_only):
    command = [*clones.without_roots_privileges(), sys.executable, "-c"]
    probe = f"open({str(read_only / 'written')!r}, 'w')"
    refused = subprocess.run([*command, probe], capture_output=True, check=False)
    assert b"PermissionError" in refused.stderr
    folder = read_only / "notebooks"
    done = subprocess.run(
        [*command, RUN, folder / NOTEBOOK.name, folder],
        env=clones.without_a_home(read_only, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["train --preset digits", "study shattering"])
def test_a_command_names_the_option_that_says_where_to_write(tmp_path, read_only, command):
    done = subprocess.run(
        [
            *clones.without_roots_privileges(),
            sys.executable,
            "-m",
            "resnet_lesson",
            *command.split(),
        ],
        cwd=read_only,
        env=clones.without_a_home(read_only, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "--output" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
