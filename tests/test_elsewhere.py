"""A notebook runs wherever it lies and whatever it is called, and whoever runs it."""

import os
import subprocess
import sys
from pathlib import Path

import clones
import nbformat
import pytest

from resnet_lesson.studies.record import read_record

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "notebooks/02_identity_shortcut.ipynb"  # it reads records, and trains
RUN = f"""
import sys
sys.path.insert(0, {str(ROOT / "tools")!r})
import notebook_runs
notebook_runs.run(sys.argv[1], sys.argv[2])
"""
# In processes of its own.
STUDY = """
from toy_study import study
from resnet_lesson.studies import run
if __name__ == "__main__":
    run(study(), "results")
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


def test_all_works_in_a_folder_of_any_name_with_nowhere_else_to_write(tmp_path):
    """Neither home nor temporary folder, and a system that knows ASCII alone."""
    here, locked = tmp_path / clones.STRANGE, tmp_path / "locked"
    here.mkdir()
    locked.mkdir(mode=0o555)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(clones.PLACES)}
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    code = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    nowhere = {"HOME": str(locked), "TMPDIR": str(tmp_path / "none")}
    train = [
        "-m",
        "resnet_lesson",
        "train",
        "--depth",
        "8",
        "--epochs",
        "1",
        "--warmup-epochs",
        "0",
        "--monitor",
    ]
    for command in (train, ["-c", STUDY]):
        done = subprocess.run(
            [*clones.without_roots_privileges(), sys.executable, *command],
            cwd=here,
            env=kept | ascii_only | code | nowhere,
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, os.fsdecode(done.stderr)
    assert (here / "runs/digits/gradients.csv").exists()
    assert len(read_record(here / "results/toy.json").runs) == 24
    assert {path.name for path in tmp_path.iterdir()} == {clones.STRANGE, "locked"}
