"""PyTorch has a Python of its own: how the commands name it and run a script in it."""

import shutil
import subprocess
from pathlib import Path

from jobs import ROOT

HERE = Path(__file__).resolve().parent


def add_option(parser):
    parser.add_argument(
        "--torch",
        default=str(ROOT / ".venv-bench/bin/python"),
        metavar="PYTHON",
        help="a Python with PyTorch; that of .venv-bench, if not given",
    )


def check_python(python):
    """Refuse a Python that cannot be run, before any work is done for it.

    Raises:
        SystemExit: says what to do.
    """
    if not shutil.which(python):
        raise SystemExit(
            f"--torch must be a Python with PyTorch, received {python}, which cannot be run: "
            "make bench makes .venv-bench"
        )


def run(python, script, *arguments):
    """Run a script of this folder.

    Raises:
        SystemExit: it failed, and has said why.
    """
    done = subprocess.run([python, HERE / script, *map(str, arguments)])
    if done.returncode:
        raise SystemExit(f"{script} failed with exit status {done.returncode}")
