"""A real JupyterLab of its own, for the browser tests and the benchmarks."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parent.parent
READY = """async () => {
    const panel = window.jupyterapp?.shell.currentWidget;
    const session = panel?.sessionContext;
    if (!session) return false;
    await session.ready;
    if (!session.session?.kernel) return false;
    await session.session.kernel.info;
    return true;
}"""


@contextlib.contextmanager
def running(home):
    """JupyterLab over a copy of the notebooks in ``home``: its address, token and the copy."""
    folder = shutil.copytree(ROOT / "notebooks", home / "notebooks")
    with serving(home, sys.executable, folder) as server:
        yield server


@contextlib.contextmanager
def serving(home, python, folder):
    """JupyterLab of this Python over a folder: its address, token and the folder.

    What it keeps, it keeps in ``home``.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    isolated = {name: str(home / name.lower()) for name in names}
    log = (home / "log").open("w", encoding="utf-8")
    server = subprocess.Popen(
        [
            *(python, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
            *(f"--port={port}", f"--IdentityProvider.token={token}", "--allow-root"),
            "--LabApp.expose_app_in_browser=True",
        ],
        cwd=folder,
        env={**os.environ, **isolated},
        stdout=log,
        stderr=log,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert server.poll() is None, (home / "log").read_text(encoding="utf-8")
            try:
                urllib.request.urlopen(f"{address}/api?token={token}", timeout=1)
                break
            except OSError:
                time.sleep(0.25)
        yield address, token, folder
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


def write_notebook(lab, name, *sources):
    """Put a notebook of these code cells into the copy."""
    # Without a kernel's name JupyterLab would ask for one.
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata=metadata), lab[2] / name)


def open_notebook(page, lab, name):
    """Open a notebook of the copy, and wait for its kernel."""
    address, token, _ = lab
    page.goto(f"{address}/lab/tree/{name}?token={token}&reset")
    page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.content?.model", timeout=60_000
    )
    page.wait_for_function(READY, timeout=60_000)
