"""A real JupyterLab and a real browser."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import browser as finder  # noqa: E402

FLAGS = [
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
]


@pytest.fixture(scope="session")
def chromium():
    path = finder.find()
    assert path, "no Chromium or Chrome: run make browser"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The address of a JupyterLab over a copy of the notebooks, and the folder of the copy."""
    home = tmp_path_factory.mktemp("lab")
    folder = shutil.copytree(ROOT / "notebooks", home / "notebooks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    isolated = {name: str(home / name.lower()) for name in names}
    log = (home / "log").open("w")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
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
            assert server.poll() is None, (home / "log").read_text()
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
