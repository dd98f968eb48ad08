"""Open every notebook as Colab does, beside Colab's versions: ``make test-colab``.

Colab opens the .ipynb alone. Its first cell fetches the lesson, here from what is committed, and
must move none of the packages that Colab has.
"""

import subprocess
import tempfile
import time
from pathlib import Path

import browser as finder
import embedded
import notebook_runs

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-colab/bin/python"
# Stand in for Colab's own modules, which only Colab has, and refuse what those would not take.
STAND_INS = {
    "__init__": "",
    "output": """def enable_custom_widget_manager():
    print("widgets enabled")
""",
    "drive": """def mount(mountpoint):
    if mountpoint != "/content/drive":
        raise ValueError(f"Colab's drive is at /content/drive, received {mountpoint!r}")
""",
}
# IPython runs this when a kernel starts; Colab's has imported its own module by then.
STARTUP = "import google.colab\n"


def main():
    """Print what each notebook took.

    Raises:
        CellExecutionError: a cell fails.
        ValueError: a widget is not drawn, or a cell writes on stderr.
        SystemExit: the first cell says something, or moved a package.
    """
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        environment = pretended(home)
        before = installed()
        try:
            run_all(home, environment)
            moved = {each for each in installed() ^ before if each[0] != "resnet-lesson"}
        finally:
            uninstall = [str(PYTHON), "-m", "pip", "uninstall", "--quiet", "--yes"]
            subprocess.run([*uninstall, "resnet-lesson"], check=True)
    if moved:
        raise SystemExit(f"the first cell moved {sorted(moved)}")


def run_all(home, environment):
    """Run each notebook, look at its first cell, and draw its widgets."""
    started = time.monotonic()
    with finder.launched() as browser:
        for path, notebook in notebook_runs.each_alone(home, PYTHON, environment):
            check_first_cell(path, notebook)
            # Colab draws widgets as ipywidgets 7 did, with anywidget's module.
            embedded.check(browser, notebook, 7, PYTHON.parents[1])
            print(f"{path.name}: {time.monotonic() - started:.0f} s", flush=True)
            started = time.monotonic()


def pretended(home):
    """The variables with which a kernel takes itself for Colab's, and the repository for ours."""
    stand_in(home / "modules")
    startup = home / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text(STARTUP, encoding="utf-8")
    repository = home / "lesson.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, repository], check=True)
    return {
        "PYTHONPATH": str(home / "modules"),
        "IPYTHONDIR": str(home / "ipython"),
        "LESSON_REPOSITORY": repository.as_uri(),
    }


def stand_in(folder):
    """Put modules called google.colab in a folder that is then on Python's path."""
    module = folder / "google/colab"
    module.mkdir(parents=True)
    for name, text in STAND_INS.items():
        (module / f"{name}.py").write_text(text, encoding="utf-8")


def installed():
    """Names and versions of the environment's packages."""
    command = [str(PYTHON), "-m", "pip", "list", "--format=freeze"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {tuple(line.split("==")) for line in listed.splitlines()}


def check_first_cell(path, notebook):
    """The set-up cell prints nothing but what Colab's own call does here.

    Raises:
        SystemExit: it did.
    """
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    said = "".join(output.get("text", "") for output in cell.outputs)
    if said != "widgets enabled\n":
        raise SystemExit(f"{path.name}: the first cell says {said!r}")


if __name__ == "__main__":
    main()
