"""Build what Binder would, run all notebooks in it, and say what that takes: ``make test-binder``.

repo2docker's plan says which commands it would run in the image; here they run in a fresh virtual
environment of the Python that runs this. Debian's packages and conda are left out.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import lab
import nbformat
import psutil
from jupyter_client import BlockingKernelClient

ROOT = Path(__file__).parent.parent
COMMAND = re.compile(r"^RUN (?:\S*/bin/)?(pip install .*|\./binder/\S+)$", re.MULTILINE)
MEMORY, DISK = 1.4, 2.5  # GB: of the server and one kernel, and of the environment
GB = 1e9
SECONDS = 300  # that a cell may take


def main():
    """Print the figures.

    Raises:
        SystemExit: a notebook fails, or one of the figures is too large.
    """
    with tempfile.TemporaryDirectory() as temporary:
        home, environment = Path(temporary, "home"), Path(temporary, "env")
        # What is not committed is not on Binder.
        subprocess.run(["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), home], check=True)
        started = time.monotonic()
        python = build(home, environment)
        size = disk(environment)
        print(f"installed in {time.monotonic() - started:.0f} s, {size:.2f} GB", flush=True)
        too_large = [] if size < DISK else [f"{size:.2f} GB on disk, over {DISK}"]
        with lab.serving(Path(temporary), python, home / "notebooks") as (address, token, folder):
            for path in sorted(folder.glob("*.ipynb")):
                seconds, peak = run(address, token, Path(temporary), path)
                print(f"{path.name}: {seconds:.0f} s, at most {peak:.2f} GB", flush=True)
                if peak >= MEMORY:
                    too_large.append(f"{path.name} takes {peak:.2f} GB of memory, over {MEMORY}")
    if too_large:
        raise SystemExit("; ".join(too_large))


def plan(folder):
    """What repo2docker says that it would do with this folder."""
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout + done.stderr


def build(home, environment):
    """Run what repo2docker would in an environment of its own; returns its Python."""
    commands = COMMAND.findall(plan(home))
    if len(commands) != 2:
        raise ValueError(f"repo2docker must plan requirements and postBuild, received {commands}")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        subprocess.run(command, shell=True, cwd=home, env={**os.environ, "PATH": path}, check=True)
    return environment / "bin/python"


def disk(folder):
    """GB of all files in a folder."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file()) / GB


def run(address, token, home, path):
    """Run a notebook in a session of the server, as JupyterLab would: seconds, and GB at most.

    Raises:
        SystemExit: a cell fails.
    """
    session = ask(address, token, "POST", "api/sessions", notebook_session(path.name))
    client = BlockingKernelClient()
    client.load_connection_file(connection_file(home, session["kernel"]["id"]))
    client.start_channels()
    started, ended, peak = time.monotonic(), threading.Event(), [0.0]
    watching = threading.Thread(target=watch, args=(ended, peak))
    watching.start()
    try:
        client.wait_for_ready(timeout=60)
        for cell in nbformat.read(path, nbformat.current_nbformat).cells:
            if cell.cell_type == "code":
                reply = client.execute_interactive(
                    cell.source, timeout=SECONDS, output_hook=lambda message: None
                )["content"]
                if reply["status"] != "ok" and "raises-exception" not in cell.metadata.get(
                    "tags", []
                ):
                    raise SystemExit(
                        f"{path.name}: {reply['ename']}: {reply['evalue']}\n{cell.source}"
                    )
    finally:
        ended.set()
        watching.join()
        client.stop_channels()
        ask(address, token, "DELETE", f"api/sessions/{session['id']}")
    return time.monotonic() - started, peak[0]


def notebook_session(name):
    return {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}


def connection_file(home, kernel):
    return str(home / "jupyter_runtime_dir" / f"kernel-{kernel}.json")


def ask(address, token, method, what, body=None):
    """What the server answers."""
    request = urllib.request.Request(
        f"{address}/{what}",
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def watch(ended, peak):
    """Keep the most memory, in GB, that the server and its kernels hold at once."""
    while not ended.wait(0.1):
        held = 0
        for process in psutil.Process().children(recursive=True):
            try:
                held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak[0] = max(peak[0], held / GB)


if __name__ == "__main__":
    main()
