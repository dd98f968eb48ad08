"""What this machine and this installation bring, and what to do where something is amiss."""

import importlib.metadata
import os
import platform
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .checks import BACKENDS
from .keras_settings import configured_backend, keras_home
from .output import print_line

GB = 1e9
MEMORY = 1.5  # GB: the most that a notebook takes, with its server, is 1.4
DISK = 1.0  # GB: CIFAR-10 takes 0.4, unpacked beside its archive
LESSON_ONLY = {"tensorflow", "ipywidgets", "anywidget"}  # what other backends do without
# Distributions that bring the module `tensorflow`.
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly")
PROJECT = Path(__file__).parents[1]  # of a clone
COMMAND = "python -m resnet_lesson doctor"


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and what to do; no advice where all is well."""

    what: str
    found: str
    advice: str = ""


def findings() -> list[Finding]:
    """All there is to find; Keras and its backend are imported, which takes seconds."""
    return [*_quick(), _device()]


def warn() -> None:
    """One line, if something is amiss that shows without importing Keras; else nothing."""
    amiss = [finding for finding in _quick() if finding.advice]
    if amiss:
        first, more = amiss[0], f" {COMMAND} says what else." if len(amiss) > 1 else ""
        print_line(f"{first.what}: {first.found}. {first.advice}.{more}")


def _quick() -> list[Finding]:
    python = Finding("Python", f"{platform.python_version()} on {platform.platform()}")
    return [python, *_packages(), *_settings(), _front_end(), _memory(), _disk(), *_folders()]


def _packages() -> Iterator[Finding]:
    """Of each package that this one requires: its version, and whether that is in the range."""
    try:
        from packaging.requirements import Requirement  # comes with Keras
    except ImportError:
        yield Finding("packaging", "not installed", "python -m pip install keras")
        return
    version = _version("resnet-lesson")
    required = _required()
    if required is None:
        found = f"not installed; imported from {Path(__file__).parent}"
        yield Finding("resnet-lesson", found, "python -m pip install . in the project's folder")
        return
    yield Finding("resnet-lesson", version or f"not installed; imported from {PROJECT}")
    backend = configured_backend()
    for each in map(Requirement, required):
        if each.marker and not each.marker.evaluate({"extra": ""}):
            continue
        if backend == "tensorflow" or each.name not in LESSON_ONLY:
            yield _package(each.name, str(each.specifier))
    if backend in BACKENDS and backend != "tensorflow":
        yield _package(backend)


def _required() -> list[str] | None:
    """What this package requires, as it was installed, or as the project's own file says."""
    try:
        return importlib.metadata.requires("resnet-lesson")
    except importlib.metadata.PackageNotFoundError:
        pass
    try:
        text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(text)["project"]
        return project["dependencies"] if project["name"] == "resnet-lesson" else None
    except (OSError, ValueError, KeyError):
        return None


def _package(name: str, needed: str = "") -> Finding:
    """The version of a package, which should be in the range ``needed``."""
    from packaging.specifiers import SpecifierSet

    distributions = TENSORFLOWS if name == "tensorflow" else (name,)
    version = next(filter(None, map(_version, distributions)), None)
    advice = f'python -m pip install "{name}{needed}"'
    if version is None:
        return Finding(name, "not installed", advice)
    if not SpecifierSet(needed).contains(version, prereleases=True):
        return Finding(name, f"{version}, not {needed}", advice)
    return Finding(name, version)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _settings() -> Iterator[Finding]:
    """Environment variables that change what computes."""
    backend = configured_backend()
    if backend not in BACKENDS:
        advice = f"set KERAS_BACKEND to one of {', '.join(BACKENDS)}"
        yield Finding("Keras computes on", backend, advice)
    elif backend != "tensorflow":
        yield Finding("Keras computes on", f"{backend}; the lesson itself needs TensorFlow")
    if os.environ.get("TF_USE_LEGACY_KERAS", "0").lower() in {"1", "true"}:
        advice = "unset TF_USE_LEGACY_KERAS, and restart: the lesson needs Keras 3"
        yield Finding("TF_USE_LEGACY_KERAS", "set, so that tf.keras is Keras 2", advice)
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0":
        advice = "unset TF_ENABLE_ONEDNN_OPTS, and restart: training takes twice as long without"
        yield Finding("oneDNN", "switched off", advice)


def _front_end() -> Finding:
    """Where cells are run, and whether it can show widgets."""
    if "google.colab" in sys.modules:
        return Finding("front end", "Colab")
    if "ipykernel" not in sys.modules:
        return Finding("front end", "none: this is not a notebook")
    if os.environ.get("VSCODE_PID") or os.environ.get("VSCODE_CWD"):
        return Finding("front end", "VS Code")
    return Finding("front end", "Jupyter")


def _memory() -> Finding:
    """Of the machine or of the container, whichever has less."""
    free = [size for size in (_machine_memory(), _container_memory()) if size is not None]
    if not free:
        return Finding("memory", "this system does not tell how much is free")
    found = f"{min(free):.1f} GB free"
    advice = f"shut down other notebooks' kernels: the largest needs {MEMORY:g} GB"
    return Finding("memory", found, advice if min(free) < MEMORY else "")


def _machine_memory() -> float | None:
    """GB that are free, where the system is Linux."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if "MemAvailable" in line) / GB
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _container_memory(folder: Path = Path("/sys/fs/cgroup")) -> float | None:
    """GB that this container may still take, where it has a limit."""
    try:
        most, taken = (int((folder / f"memory.{n}").read_text()) for n in ("max", "current"))
        lines = (folder / "memory.stat").read_text().splitlines()
        # What was read from files lately counts as taken, and is given up where memory is wanted.
        cached = next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
        return (most - taken + cached) / GB
    except (OSError, ValueError, IndexError, StopIteration):  # or the limit reads "max"
        return None


def _disk() -> Finding:
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return Finding("disk", "this folder was deleted", "change to another, and restart")
    free = shutil.disk_usage(here).free / GB
    found = f"{free:.1f} GB free in {here}"
    if not os.access(here, os.W_OK):
        advice = "give commands a folder after --output, and train() one as output"
        return Finding("disk", f"{found}, which is read-only", advice)
    advice = f"make room: CIFAR-10 and a training take {DISK:g} GB" if free < DISK else ""
    return Finding("disk", found, advice)


def _folders() -> Iterator[Finding]:
    """Where Keras puts what it downloads, and Jupyter what it needs while it runs."""
    yield _folder("downloads", keras_home(), "KERAS_HOME")
    try:
        from jupyter_core.paths import jupyter_runtime_dir
    except ImportError:  # of Jupyter, this package itself needs the widgets alone
        return
    yield _folder("Jupyter's files", Path(jupyter_runtime_dir()), "JUPYTER_RUNTIME_DIR")


def _folder(what: str, folder: Path, variable: str) -> Finding:
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if os.access(existing, os.W_OK):
        return Finding(what, f"go to {folder}")
    advice = f"set {variable} to a folder that can be written to"
    return Finding(what, f"go to {folder}, which is read-only", advice)


def _device() -> Finding:
    try:
        from .backend import device_name
    except Exception as error:  # whatever keeps Keras from starting is what was asked for
        return Finding("device", "Keras does not start", " ".join(str(error).split()))
    return Finding("device", device_name())
