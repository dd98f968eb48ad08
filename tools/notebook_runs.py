"""Run notebooks as a front end would, with this Python or another environment's."""

import contextlib
import json
import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

# Under which a notebook keeps its widgets: that one is shown, and the state of all.
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
ROOT = Path(__file__).parent.parent
SECONDS = 600  # that a cell may take
NAME = "elsewhere"


@contextlib.contextmanager
def kernel(home, python, environment):
    """A kernel for ``run``, by name: this Python with these environment variables."""
    folder = Path(home, "kernels", NAME)
    folder.mkdir(parents=True)
    # Python 3.13 would have the kernel's debugger warn of modules that it cannot stop in.
    launcher = ("-Xfrozen_modules=off", "-m", "ipykernel_launcher")
    argv = [str(python), *launcher, "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": NAME, "language": "python", "env": environment}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(home)
    try:
        yield NAME
    finally:
        os.environ.pop("JUPYTER_PATH")
        if before is not None:
            os.environ["JUPYTER_PATH"] = before


def run(path, folder, kernel_name="python3"):
    """The notebook in this file, run in ``folder``.

    Raises:
        CellExecutionError: a cell fails.
        ValueError: a line on stderr, which no reader should find above a picture.
    """
    notebook = nbformat.read(path, nbformat.current_nbformat)
    client = NotebookClient(
        notebook,
        kernel_name=kernel_name,
        timeout=SECONDS,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        # Of the kernel's own warnings, one would stand here for every notebook.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    notebook = client.execute()
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    if noise := "".join(each.text for each in outputs if each.get("name") == "stderr"):
        raise ValueError(f"{Path(path).name} writes on stderr: {noise}")
    return notebook


def each_alone(home, python, environment):
    """Run every notebook of the lesson in a folder of its own: its path, and what came of it."""
    with kernel(home, python, environment) as name:
        for path in sorted(ROOT.glob("notebooks/*.ipynb")):
            folder = Path(home, "alone", path.stem, "content")
            folder.mkdir(parents=True)
            yield path, run(path, folder, name)
