"""Try the oldest and the newest versions that pyproject.toml allows: ``make test-matrix``.

On each Python, in an environment of its own, the wheel is installed with what it requires and
nothing more; then come a kernel, with which every notebook runs where it lies alone, and the tests.
``python tools/matrix.py 3.13 lowest-direct`` tries one pair.
"""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import notebook_runs

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
# As uv names them: the oldest of what we require, beside the newest of what that requires.
RESOLUTIONS = ("lowest-direct", "highest")
UV = (sys.executable, "-m", "uv", "--quiet")
# What people take into their own projects, where there is no notebook.
ALONE = """
import importlib.util
import keras, numpy as np
from resnet_lesson import GradientMonitor, build_cifar, gradient_norms, residual_module

assert importlib.util.find_spec("jupyterlab") is None
image = keras.Input((8, 8, 16))
block = keras.Model(image, residual_module(image, 16))
assert block.output_shape == (None, 8, 8, 16)
model = build_cifar(8, input_shape=(8, 8, 1))
x, y = np.random.default_rng(0).random((4, 8, 8, 1), "float32"), np.arange(4)
norms = gradient_norms(model, x, y)
assert norms and all(each.gradient_norm > 0 for each in norms)
monitor = GradientMonitor()
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x, y, verbose=0, callbacks=[monitor])
assert monitor.records["gradient_norm"].shape == (1, len(norms))
"""


def main():
    """Print how long each pair took.

    Raises:
        SystemExit: something fails, or an argument is neither a Python nor a resolution.
    """
    asked = set(sys.argv[1:])
    if unknown := asked - {*PYTHONS, *RESOLUTIONS}:
        every = ", ".join((*PYTHONS, *RESOLUTIONS))
        raise SystemExit(f"an argument must be one of {every}, received {', '.join(unknown)}")
    pythons = [each for each in PYTHONS if each in asked] or PYTHONS
    resolutions = [each for each in RESOLUTIONS if each in asked] or RESOLUTIONS
    for python, resolution in itertools.product(pythons, resolutions):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as temporary:
            attempt(Path(temporary), python, resolution)
        print(f"Python {python}, {resolution}: {time.monotonic() - started:.0f} s", flush=True)


def attempt(home, python, resolution):
    """Make the environment, and run all in it."""
    environment = home / "environment"
    run([*UV, "build", "--no-build-isolation", "--out-dir", home], cwd=ROOT)
    run([*UV, "venv", "--no-python-downloads", "--python", python, environment], cwd=home)
    (wheel,) = home.glob("*.whl")
    binaries = environment / "bin"
    install = [*UV, "pip", "install", "--python", binaries / "python"]
    run([*install, "--resolution", resolution, wheel], cwd=home)
    run([binaries / "python", "-c", ALONE], cwd=home)
    run([*install, "ipykernel"], cwd=home)
    for _ in notebook_runs.each_alone(home, binaries / "python", {}):
        pass  # to have been run is all
    held = home / "held.txt"  # what is tried stays, whatever the tests would like
    freeze = [*UV, "pip", "freeze", "--exclude", "resnet-lesson", "--python", binaries / "python"]
    held.write_bytes(subprocess.check_output(freeze))
    run([*install, "-c", held, "jupyterlab", "--requirements", tests_need(home)], cwd=home)
    # The tests look at files beside the package, too.
    hub = ROOT / "tests/backends/requirements-no-deps.txt"
    run([*install, "--no-deps", "--requirements", hub, "--editable", ROOT], cwd=home)
    quick = ["-q", "-p", "no:cacheprovider", "-n", "2", "-m", "not slow", "--ignore=tests/browser"]
    run([binaries / "python", "-m", "pytest", *quick, "tests"], cwd=ROOT)


def run(command, cwd):
    """Run a command, and show what it says only if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-8000:]}")


def tests_need(home):
    """requirements-dev.txt without the lesson's own pins, which are what is varied here."""
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    path = home / "tests.txt"
    path.write_text(text.replace("-c requirements.txt\n", ""), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
