"""Guessed curves: what one is, and a folder of them."""

import json
import math
from pathlib import Path

from .grid import SETTING

FILE = "resnet-lesson guess"  # what a file of one says that it is
GUESSED = (*SETTING, "depth", "quantity")  # what it is a guess of


def check(guess):
    """A guess as it is, or an error that says what it lacks.

    It is a dict: ``setting``, the network that it is about; ``end``, in decades, from where the
    gradient sets out (for the signal: from the input) to where it ends up; ``bend``, in decades
    above the straight line half-way.

    Raises:
        ValueError: names the rule and the value.
    """
    right = (
        isinstance(guess, dict)
        and set(guess) == {"setting", "end", "bend"}
        and isinstance(guess["setting"], dict)
        and set(guess["setting"]) == set(GUESSED)
        and all(_is_number(guess[name]) for name in ("end", "bend"))
    )
    if not right:
        raise ValueError(
            "a guess must hold the numbers end and bend, and setting with "
            f"{', '.join(GUESSED)}; received {guess!r}"
        )
    return guess


def read(folder):
    """The guesses saved in a folder's ``*.json`` files, in the order of the files' names.

    Raises:
        ValueError: the folder has no such files, or one of them is no guess; names it.
    """
    found = Path(folder).expanduser().glob("*.json")
    files = sorted(file for file in found if not file.name.startswith("."))  # macOS's "._" files
    if not files:
        raise ValueError(f"the folder must hold saved guesses (*.json), received {str(folder)!r}")
    return [_read(file) for file in files]


def _read(file):
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(held, dict) or held.pop("file", None) != FILE:
            raise ValueError(f'"file" must be "{FILE}"')
        return check(held)
    except ValueError as error:
        raise ValueError(f"{file} is no saved guess: {error}") from error


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
