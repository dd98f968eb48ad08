"""Where Keras keeps its files and on what it computes, found as Keras does, but without it."""

import os
from pathlib import Path
from typing import Any

from .checks import BACKENDS, shown
from .untrusted import parse_json

NEEDS_TENSORFLOW = (
    "the lesson, its widgets and its studies compute on TensorFlow, and Keras is set to {!r}: "
    "install TensorFlow if it is missing, set KERAS_BACKEND=tensorflow and restart"
)


def keras_home() -> Path:
    """The folder of Keras's settings and of what it downloads."""
    if named := os.environ.get("KERAS_HOME"):
        return Path(named)
    home = os.path.expanduser("~")  # stays "~" where there is none
    return Path(home if os.access(home, os.W_OK) else "/tmp", ".keras")


def configured_backend() -> str:
    """The environment's, else that of Keras's own file of settings, else TensorFlow."""
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    settings = _settings()
    named = settings.get("backend") if isinstance(settings, dict) else None
    return named if isinstance(named, str) else "tensorflow"


def _settings() -> Any:
    """What Keras's own file of settings holds; a dict, unless somebody has changed it."""
    try:
        return parse_json(_file().read_bytes(), {})
    except (OSError, ValueError):
        return {}  # Keras does without


def _file() -> Path:
    return keras_home() / "keras.json"


def check_file() -> None:
    """Refuse Keras's file of settings where it is JSON and no object: Keras would not start.

    Raises:
        ImportError: it is; names the file.
    """
    settings = _settings()
    if not isinstance(settings, dict):
        raise ImportError(
            f"{_file()} must hold Keras's settings, a JSON object, received {shown(settings)}: "
            "remove it, and Keras writes it again"
        )


def begun_on(versions: dict[str, str]) -> str:
    """On which backend a run with these ``versions`` was computed.

    Raises:
        ValueError: they name none.
    """
    for name in BACKENDS:
        if name in versions:
            return name
    raise ValueError(f"versions must name one of {', '.join(BACKENDS)}, received {versions}")
