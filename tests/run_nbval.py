"""nbval on notebooks made by a test, away from the project's own settings."""

import subprocess
import sys


def run_nbval(*paths):
    options = ["-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "-c", "/dev/null"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *map(str, paths)],
        capture_output=True,
        text=True,
        cwd=paths[0].parent,
        timeout=120,
        check=False,
    )
