"""nbval on a notebook made by a test, away from the project's own settings."""

import subprocess
import sys


def run_nbval(path):
    options = ["-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "-c", "/dev/null"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(path)],
        capture_output=True,
        text=True,
        cwd=path.parent,
        timeout=120,
        check=False,
    )
