"""Guessed curves: what one is, and a folder of them."""

import json

from ...files import expand_path
from .grid import SETTING, load

FILE = "resnet-lesson guess"  # what a file of one says that it is
GUESSED = (*SETTING, "depth", "quantity")  # what it is a guess of
MOST = 1000  # decades: more than lie between any two numbers


def check(guess):
    """A guess as it is, or an error that says what it lacks.

    It is a dict: ``setting``, the explorer's traits that it is about; ``end``, in decades, from
    where the gradient sets out (for the signal: from the input) to where it ends up; ``bend``, in
    decades above the straight line half-way.

    Raises:
        ValueError: names the rule and the value.
    """
    right = (
        isinstance(guess, dict)
        and set(guess) == {"setting", "end", "bend"}
        and isinstance(guess["setting"], dict)
        and set(guess["setting"]) == set(GUESSED)
        and all(_is_setting(*one) for one in guess["setting"].items())
        and all(_is_number(guess[name]) for name in ("end", "bend"))
    )
    if not right:
        raise ValueError(
            f"a guess must hold the numbers end and bend, of at most {MOST} decades, and setting "
            f"with the explorer's {', '.join(GUESSED)}; received {guess!r}"
        )
    return guess


def read(folder):
    """The guesses saved in a folder's ``*.json`` files, in the order of the files' names.

    Raises:
        ValueError: the folder has no such files, or one of them is no guess; names it.
    """
    found = expand_path(folder).glob("*.json")
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
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is no saved guess: {error}") from error


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST


def _is_setting(name, value):
    if name in ("normalization", "shortcut"):
        return isinstance(value, bool)
    if name == "depth":
        return type(value) is int and 1 <= value <= load()["most"]
    return isinstance(value, str) and value in load()["choices"][name]
