"""Open every notebook as Colab does, beside Colab's versions: ``make test-colab``.

Colab opens the .ipynb alone. Its first cell fetches the lesson, here from what is committed, and
must move none of the packages that Colab has.
"""

import subprocess
import tempfile
import time
from pathlib import Path

import notebook_runs

ROOT = Path(__file__).parent.parent
PYTHON = str(ROOT / ".venv-colab/bin/python")
# Stands in for Colab's own module, which only Colab has: it must be asked for custom widgets.
GOOGLE = '''"""What a notebook may ask of Colab."""


def enable_custom_widget_manager():
    print("widgets enabled")
'''
# IPython runs this when a kernel starts; Colab's has imported its own module by then.
STARTUP = "import google.colab\n"


def main():
    """Print what each notebook took.

    Raises:
        SystemExit: a cell fails, or a package was moved.
    """
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        environment = pretended(home)
        before = installed()
        with notebook_runs.kernel(home, PYTHON, environment) as kernel:
            for path in sorted(ROOT.glob("notebooks/*.ipynb")):
                content = home / path.stem / "content"  # a machine of its own
                content.mkdir(parents=True)
                started = time.monotonic()
                notebook = notebook_runs.run(path, content, kernel)
                check_first_cell(path, notebook)
                print(f"{path.name}: {time.monotonic() - started:.0f} s", flush=True)
        moved = {name: version for name, version in installed() ^ before if name != "resnet-lesson"}
    subprocess.run(
        [PYTHON, "-m", "pip", "uninstall", "--quiet", "--yes", "resnet-lesson"], check=True
    )
    if moved:
        raise SystemExit(f"the first cell moved {moved}")


def pretended(home):
    """The variables with which a kernel takes itself for Colab's, and the repository for ours."""
    module = home / "modules/google/colab"
    module.mkdir(parents=True)
    (module / "__init__.py").write_text("", encoding="utf-8")
    (module / "output.py").write_text(GOOGLE, encoding="utf-8")
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


def installed():
    """Names and versions of the environment's packages."""
    command = [PYTHON, "-m", "pip", "list", "--format=freeze"]
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
