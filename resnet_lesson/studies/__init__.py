"""The evidence of the lesson: grids of runs over seeds, each leaving one record in ``results``."""

import importlib

from ..checks import check_choice
from .engine import Study, check_scheduler, check_seeds, run
from .record import Record, record

NAMES = (
    "degradation",
    "initialisation",
    "near_identity",
    "shattering",
    "orders",
    "copied_identity",
    "plain_copy",
    "projection",
    "paths",
    "race",
)
__all__ = ["NAMES", "Record", "Study", "check_scheduler", "check_seeds", "record", "run", "study"]


def study(name: str) -> Study:
    """The study of this name.

    Raises:
        ValueError: an unknown name.
    """
    check_choice("study", name, NAMES)
    return importlib.import_module(f".{name}", __name__).STUDY
