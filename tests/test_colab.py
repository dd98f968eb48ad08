"""The set-up cell where only the notebook is open and nothing is installed: Colab, Kaggle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import clones
import colab
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))

FAKE_COLAB = "import google.colab\n"  # as Colab's kernel has
REPORT = """
import resnet_lesson
print(os.getcwd()); print(resnet_lesson.__file__); print('tensorflow' in sys.modules)"""


def setup_cell(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "".join(next(cell for cell in cells if cell["cell_type"] == "code")["source"])


def git(*arguments, cwd):
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A bare repository of what git knows here, as a code host would hold it."""
    folder = tmp_path_factory.mktemp("origin")
    tree = folder / "tree"
    clones.copy(tree, clones.tracked())
    git("init", "--quiet", cwd=tree)
    git("add", "--all", cwd=tree)
    git("commit", "--quiet", "-m", "the lesson", cwd=tree)
    git("clone", "--quiet", "--bare", "tree", "lesson.git", cwd=folder)
    return folder / "lesson.git"


def on_colab(folder, repository):
    """The environment of a kernel that has Colab's modules."""
    path = str(folder / "modules")
    return {**os.environ, "PYTHONPATH": path, "LESSON_REPOSITORY": repository.as_uri()}


@pytest.fixture
def colab_python(tmp_path):
    """A Python that sees this environment's libraries, and installs into its own folder."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    probe = "import site; print(site.getsitepackages()[0])"
    ask = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=True)
    ours = next(path for path in sys.path if path.endswith("site-packages"))
    (Path(ask.stdout.strip()) / "libraries.pth").write_text(ours)
    return python


def test_the_same_cell_opens_every_notebook():
    cells = {setup_cell(path) for path in NOTEBOOKS}
    assert len(NOTEBOOKS) == 6
    assert len(cells) == 1


def test_the_cell_fetches_the_lesson_and_runs_again(tmp_path, bare, colab_python):
    content = tmp_path / "content"
    content.mkdir()
    colab.stand_in(tmp_path / "modules")
    cell = setup_cell(NOTEBOOKS[0])
    script = FAKE_COLAB + cell + "\n" + cell + REPORT
    for _ in ("a fresh machine", "a restarted kernel"):
        done = subprocess.run(
            [colab_python, "-c", script],
            cwd=content,
            env=on_colab(tmp_path, bare),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        # The cell itself prints nothing.
        enabled, folder, module, tensorflow = done.stdout.splitlines()
        assert enabled == "widgets enabled"
        assert Path(folder) == (content / "resnet-lesson/notebooks").resolve()
        assert Path(module).is_relative_to(tmp_path)
        assert tensorflow == "False"


def test_a_failing_clone_is_said(tmp_path):
    colab.stand_in(tmp_path / "modules")
    done = subprocess.run(
        [sys.executable, "-c", FAKE_COLAB + setup_cell(NOTEBOOKS[0])],
        cwd=tmp_path,
        env=on_colab(tmp_path, tmp_path / "nowhere"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "CalledProcessError" in done.stderr


def test_kaggles_inputs_are_found_in_a_folder_that_cannot_be_written_to(tmp_path):
    """The lesson's repository as Kaggle shows it to a notebook, whose Python has our libraries."""
    inputs = tmp_path / "input"
    added = inputs / "datasets/someone/resnet-lesson"
    clones.copy(added, clones.tracked("resnet_lesson", "pyproject.toml"))
    clones.make_read_only(inputs)
    cell = setup_cell(NOTEBOOKS[0]).replace("/kaggle/input", str(inputs))
    # Without the editable install, which would be found first.
    code = f"import sys; sys.meta_path = [*filter(is_pythons, sys.meta_path)]\n{cell}{REPORT}"
    is_pythons = "is_pythons = lambda finder: 'editable' not in repr(finder)\n"
    done = subprocess.run(
        [*clones.without_roots_privileges(), sys.executable, "-c", is_pythons + code],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    clones.make_writable(inputs)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2] == str(added / "resnet_lesson/__init__.py")


def test_a_missing_package_is_said_with_what_to_do(tmp_path):
    # -S: Python without its libraries.
    command = [sys.executable, "-S", "-c", setup_cell(NOTEBOOKS[0])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: the lesson's package, resnet_lesson, is missing")
    assert "choose Add Input" in last
    assert "make lab" in last
