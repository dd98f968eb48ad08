"""The evidence of the lesson: grids of runs over seeds, each leaving one record in ``results``."""

import importlib

from .engine import Study, run
from .record import Record, record

NAMES = (
    "degradation",
    "initialisation",
    "near_identity",
    "shattering",
    "orders",
    "copied_identity",
    "paths",
)
__all__ = ["NAMES", "Record", "Study", "record", "run", "study"]


def study(name):
    """The study of this name.

    Raises:
        ValueError: an unknown name.
    """
    if name not in NAMES:
        raise ValueError(f"study must be one of {', '.join(NAMES)}, received {name!r}")
    return importlib.import_module(f".{name}", __name__).STUDY
