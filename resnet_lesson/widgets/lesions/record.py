"""What was measured: the check of a record that ``pretrained.lesions`` returns."""

import itertools
import reprlib
from collections.abc import Sequence
from math import inf
from typing import Any

from ...output import without_surrogates

KEYS = ("modules", "class_names", "images", "without")


def check_record(record: Any) -> dict[str, Any]:
    """The record, its dicts in the order of their sets as binary numbers.

    Raises:
        ValueError: names the rule and the value.
    """
    complete = isinstance(record, dict) and record.keys() >= set(KEYS)
    _require(complete, "record", f"be a dict with {', '.join(KEYS)}", record)
    modules, class_names, images, rows = (record[key] for key in KEYS)
    for key in KEYS[:2]:
        what = f"record[{key!r}]"
        _require(_are_names(record[key]), what, "be a list of different names", record[key])
    classes = len(class_names)
    counted = _are_counts(images, [inf] * classes) and any(images)
    _require(counted, "record['images']", f"be {classes} whole numbers, not all 0", images)
    are_dicts = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    sets = sorted(str(row.get("deleted")) for row in rows) if are_dicts else rows
    # No list of all sets is made where their number is wrong: of 60 modules it would not end.
    complete = are_dicts and len(sets) == 2 ** len(modules)
    complete = complete and sets == list(map("".join, itertools.product("01", repeat=len(modules))))
    rule = (
        f"be dicts, one for each set of {len(modules)} modules in deleted, as a string of 0 and 1"
    )
    _require(complete, "record['without']", rule, sets)
    for row in rows:
        for key, most in (("right", images), ("answers", [sum(images)] * classes)):
            what = f"{key} without {row['deleted']}"
            rule = f"be {classes} whole numbers, none above the number of images"
            _require(_are_counts(row.get(key), most), what, rule, row.get(key))
    return {**record, "without": sorted(rows, key=lambda row: str(row["deleted"]))}


def _require(holds: bool, what: str, rule: str, value: Any) -> None:
    if not holds:
        raise ValueError(f"{what} must {rule}, received {reprlib.repr(value)}")


def _are_names(values: Any) -> bool:
    """Whether these are texts that can be sent, and no two are the same."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return False
    return 0 < len(values) == len(set(values)) and values == without_surrogates(values)


def _are_counts(values: Any, most: Sequence[float]) -> bool:
    """Whether these are as many whole numbers as there are bounds, each from 0 to its own."""
    if not isinstance(values, list) or len(values) != len(most):
        return False
    return all(
        type(one) is int and 0 <= one <= bound for one, bound in zip(values, most, strict=True)
    )
