"""Checks of arguments: each returns the value, or raises an error with the rule and the value."""

import contextlib
import reprlib
from collections.abc import Callable, Iterable
from ctypes import c_float
from math import inf, nan
from numbers import Integral, Real
from typing import Any

BACKENDS = ("tensorflow", "jax", "torch")  # of Keras, which compute gradients
# The builder's page shows these sentences as well.
POSITIVE = "{what} must be a positive integer, received {value}"
CHOICE = "{what} must be one of {choices}, received {value}"
INT32 = 2**31 - 1  # the largest of the 32-bit integers that seeds, sizes and steps are
_IN_PART = reprlib.Repr()
_IN_PART.maxstring = _IN_PART.maxother = 200
_IN_PART.maxlist = _IN_PART.maxtuple = _IN_PART.maxset = _IN_PART.maxdict = 25


def shown(value: Any) -> str:
    """A value as an error shows it: on one line, and in part where it is long or deep."""
    try:
        text = " ".join(_IN_PART.repr(value).splitlines())
    except ValueError:  # Python writes no integer of more than 4,300 digits
        text = f"an integer too long to be written, in {type(value).__name__}"
    return text if len(text) <= 300 else f"{text[:200]} ... {text[-50:]}"


def number_or_text(kind: Callable[[str], Any], text: str) -> Any:
    """The number that a text is, or the text, which the check of the number then refuses."""
    try:
        return kind(text)
    except ValueError:
        return text


def check_integer(what: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """A whole number from ``least`` to ``most``, as an ``int``; True and False are refused.

    Raises:
        ValueError: the value is anything else.
    """
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if is_integer and least <= value and (most is None or value <= most):
        return int(value)
    if (least, most) == (1, None):
        raise ValueError(POSITIVE.format(what=what, value=shown(value)))
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise ValueError(f"{what} must be a whole number {bounds}, received {shown(value)}")


def check_number(what: str, value: Any, *, above: float | None = None, below: float = inf) -> float:
    """A finite number of at least 0, or ``above`` a bound, and ``below`` one, as a ``float``.

    Networks compute in float32, so it must be such a number there, too.

    Raises:
        ValueError: the value is anything else.
    """

    def holds(number: float) -> bool:
        return (number >= 0 if above is None else number > above) and number < below

    number = nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # of an integer that no float holds
            number = float(value)
    if holds(number) and holds(c_float(number).value):
        return number
    bounds = "of at least 0" if above is None else f"above {above}"
    if below < inf:
        bounds += f" and less than {below}"
    if holds(number):
        bounds += ", rounded to float32 as well"
    raise ValueError(f"{what} must be a number {bounds}, received {shown(value)}")


def check_flag(what: str, value: Any) -> bool:
    """True or False, and no other value that counts as true or false.

    Raises:
        ValueError: the value is anything else.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{what} must be True or False, received {shown(value)}")
    return value


def check_choice(what: str, value: Any, choices: Iterable[str]) -> str:
    """One of the strings in ``choices``.

    Raises:
        ValueError: the value is anything else.
    """
    choices = tuple(choices)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(CHOICE.format(what=what, choices=", ".join(choices), value=shown(value)))
    return value


def check_rule(what: str, value: Any, rule: str, holds: bool) -> None:
    """Nothing, where a rule holds.

    Raises:
        ValueError: it does not.
    """
    if not holds:
        raise ValueError(f"{what} must {rule}, received {shown(value)}")
