"""Copies of this project elsewhere, for tests of what lies there and of who may write there."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What tells programs where to write, but for Jupyter's folder of running kernels.
PLACES = ("XDG", "MPL", "KERAS_HOME", "IPYTHON", "JUPYTER")

# Of a folder: quotes of both kinds, a space, what a shell would replace, and more than ASCII.
STRANGE = """it's "here" 课 $HOME"""


def tracked(*folders):
    """The files of these folders that git knows or would add, and that are there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


def copy(folder, names):
    """Copy files of the project, with their modes, into a folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def make_read_only(folder):
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def make_writable(folder):
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        path.chmod(0o755)


def without_roots_privileges():
    """What stands before a command so that root, too, is refused what a file's mode refuses."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]


def without_a_home(clone, folder):
    """The environment of somebody without a home; Jupyter alone is told where to write."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PLACES)}
    return {
        **kept,
        "HOME": str(clone / "nobody"),
        "PYTHONPATH": str(clone),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
