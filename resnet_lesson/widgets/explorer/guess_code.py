"""Guesses as short codes, to be read out, typed or pasted. ``guess_code.js`` has the same.

A code is ten symbols of Crockford's base 32, written in two groups: ``G4K2S-BAB5D``.

- The first, ``G``, is the version of the format. A letter, it also keeps a spreadsheet from taking
  the code for a number or a date.
- The next eight are one integer, its largest place first. It counts the guesses that can be made,
  in mixed radix: a place for each trait of GUESSED, in that order, whose digit is the value's index
  in what the explorer offers; then ``end`` and ``bend``, by their index in DECADES.
- The last is the check. The symbols are the coefficients of a polynomial over the field of 32
  elements, GF(2)[x] / (x^5 + x^2 + 1), and the check makes its value at x zero. The first 31 powers
  of x differ, so any one wrong symbol is noticed, and any two that changed places.

Who reads a code takes lower case for upper, I and L for 1, O for 0, and ignores spaces and hyphens.
Where the explorer offers other values than now, an old code would be read as another guess: change
VERSION then.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .grid import load
from .guesses import GUESSED, check

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of Crockford: no I, L, O or U
VERSION = "G"
MOST = 45  # decades, as far as a handle of the explorer goes either way
MOST_NAMED = 10  # lines that are no codes; one more is named, too
DECADES = [tenths / 10 for tenths in range(-10 * MOST, 10 * MOST + 1)]
# Ten letters and digits, with spaces and all sorts of hyphens among them; what else stands in the
# line ends them. It looks ahead, as a name with a G may run into the code behind it.
CANDIDATE = re.compile(
    r"(?<![0-9A-Za-z])"
    r"(?=([Gg](?:[ \u00a0\u2010-\u2015\u2212-]*[0-9A-Za-z]){9})(?![0-9A-Za-z]))"
)
READ_AS = str.maketrans("ILO", "110")


def encode(guess: dict[str, Any]) -> str:
    """The code of a guess, whose ``end`` and ``bend`` are rounded to tenths of a decade.

    Raises:
        ValueError: it is no guess, or beyond what the explorer's handles reach.
    """
    setting = check(guess)["setting"]
    end, bend = (math.floor(10 * guess[name] + 0.5) / 10 for name in ("end", "bend"))
    if max(abs(end), abs(bend)) > MOST:
        raise ValueError(
            f"a guess with a code must have end and bend of at most {MOST} decades, received "
            f"{guess['end']} and {guess['bend']}"
        )
    number = 0
    chosen = [*(setting[name] for name in GUESSED), end, bend]
    for values, value in zip(_fields(), chosen, strict=True):
        number = number * len(values) + values.index(value)
    places = [SYMBOLS.index(VERSION), *(number >> 5 * place & 31 for place in reversed(range(8)))]
    text = "".join(SYMBOLS[place] for place in [*places, _twice(_value_at_x(places))])
    return f"{text[:5]}-{text[5:]}"


def decode(code: str) -> dict[str, Any]:
    """The guess of a code that was found in a line.

    Raises:
        ValueError: the check says that it is not as it was made.
    """
    text = re.sub("[^0-9A-Z]", "", code.upper()).translate(READ_AS)
    places = [SYMBOLS.find(symbol) for symbol in text]
    number = 0
    for place in places[1:-1]:
        number = 32 * number + place
    found: list[Any] = []
    for values in reversed(_fields()):
        number, digit = divmod(number, len(values))
        found.append(values[digit])
    if -1 in places or _value_at_x(places) or number:
        raise ValueError(f"has a wrong symbol, or two that changed places: {text[:5]}-{text[5:]}")
    bend, end, *setting = found
    traits = dict(zip(GUESSED, reversed(setting), strict=True))
    return {"setting": traits, "end": end, "bend": bend}


def read(codes: str | Iterable[str]) -> list[dict[str, Any]]:
    """The guesses of the codes in a text, or in an iterable of lines.

    Blank lines are passed over, and what else a spreadsheet has in a line.

    Raises:
        ValueError: names the first lines without a code, and why.
    """
    found, refused = [], []
    for number, line in enumerate(codes.splitlines() if isinstance(codes, str) else codes, 1):
        try:
            if not isinstance(line, str):
                raise ValueError(f"is no text: {line!r}")
            if line.strip():
                found.append(_in_line(line))
        except ValueError as error:
            refused.append(f"Line {number} {error}.")
    if refused or not found:
        named, more = refused[:MOST_NAMED], len(refused) - MOST_NAMED
        # A wrong column has as many of them as lines.
        named += [f"And {more} more lines."] if more > 1 else refused[MOST_NAMED:]
        raise ValueError(" ".join(["codes must hold one code a line.", *named]))
    return found


def _in_line(line: str) -> dict[str, Any]:
    """The guess of the one code in a line. A name may look like a code, but fails the check."""
    found, failed = [], []
    for candidate in CANDIDATE.finditer(line):
        try:
            found.append(decode(candidate[1]))
        except ValueError as error:
            failed.append(error)
    if len(found) > 1:
        raise ValueError("has more than one code")
    nothing = f"has no code, which is ten letters and digits, the first of them {VERSION}"
    if not found:
        raise failed[0] if failed else ValueError(nothing)
    return found[0]


def _fields() -> list[Sequence[Any]]:
    """The values that each place of the integer may have, the largest place first."""
    offered = load()["choices"] | {"depth": range(1, load()["most"] + 1)}
    return [*(offered.get(name, (False, True)) for name in GUESSED), DECADES, DECADES]


def _value_at_x(coefficients: Sequence[int]) -> int:
    value = 0
    for coefficient in coefficients:
        value = _twice(value) ^ coefficient
    return value


def _twice(element: int) -> int:
    """The element of the field times x."""
    return element << 1 ^ (0b100101 if element & 16 else 0)
