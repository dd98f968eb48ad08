"""Guessed curves: their format, and a folder of them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...checks import shown
from ...files import expand_path
from ...untrusted import OBJECT, load_json
from .grid import SETTING, load

FILE = "resnet-lesson guess"  # the "file" entry of a saved guess
GUESSED = (*SETTING, "depth", "quantity")  # the traits in a guess's setting
MAX_DECADES = 1000  # more than lie between any two floating-point numbers


def check(guess: Any) -> dict[str, Any]:
    """A guess as it is, or an error that says what it lacks.

    It is a dict: ``setting``, the explorer's traits that it is about; ``end``, in decades, from
    where the gradient starts (for the signal: from the input) to where it ends; ``bend``, in
    decades above the straight line, half-way.

    Raises:
        ValueError: names the rule and the value.
    """
    is_guess = (
        isinstance(guess, dict)
        and set(guess) == {"setting", "end", "bend"}
        and is_setting(guess["setting"], GUESSED)
        and all(_is_decades(guess[name]) for name in ("end", "bend"))
    )
    if not is_guess:
        raise ValueError(
            f"a guess must hold the numbers end and bend, of at most {MAX_DECADES} decades, and "
            f"setting with the explorer's {', '.join(GUESSED)}; received {shown(guess)}"
        )
    return guess


def read(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The guesses saved in a folder's ``*.json`` files, in the order of the files' names.

    Raises:
        ValueError: the folder has no such files, or one of them is not a guess; names it.
    """
    found = expand_path(folder).glob("*.json")
    paths = sorted(path for path in found if not path.name.startswith("."))  # macOS's "._" files
    if not paths:
        raise ValueError(
            f"the folder must hold saved guesses (*.json), received {str(folder)!r}; "
            "codes in place of files are given as codes=..."
        )
    return [_read(path) for path in paths]


def _read(path: Path) -> dict[str, Any]:
    try:
        guess = load_json(path, OBJECT)
        if guess.pop("file", None) != FILE:
            raise ValueError(f'"file" must be "{FILE}"')
        return check(guess)
    except ValueError as error:
        raise ValueError(f"{path} is no saved guess: {error}") from error


def _is_decades(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and abs(value) <= MAX_DECADES


def is_setting(setting: Any, names: Sequence[str]) -> bool:
    """Whether it has a value that the explorer's trait takes for each name, and no more."""
    return (
        isinstance(setting, dict)
        and setting.keys() == set(names)
        and all(_is_allowed(name, value) for name, value in setting.items())
    )


def _is_allowed(name: str, value: Any) -> bool:
    """Whether the explorer's trait of this name takes the value."""
    if name in ("normalization", "shortcut"):
        return isinstance(value, bool)
    if name == "depth":
        return type(value) is int and 1 <= value <= load()["most"]
    if name == "seed":
        return type(value) is int and 0 <= value < 2**32
    return isinstance(value, str) and value in load()["choices"][name]
