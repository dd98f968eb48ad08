"""What was measured: the check of a record that ``pretrained.lesions`` returns."""

import itertools
from collections.abc import Sequence
from math import inf
from typing import Any

from ..checks import check_rule
from ..output import without_surrogates

KEYS = ("modules", "class_names", "images", "without")


def check_record(record: Any) -> dict[str, Any]:
    """The record, its dicts in the order of their sets as binary numbers.

    Raises:
        ValueError: names the rule and the value.
    """
    complete = isinstance(record, dict) and record.keys() >= set(KEYS)
    check_rule("record", record, f"be a dict with {', '.join(KEYS)}", complete)
    modules, class_names, images, rows = (record[key] for key in KEYS)
    for key in KEYS[:2]:
        names = record[key]
        check_rule(f"record[{key!r}]", names, "be a list of different names", _are_names(names))
    classes = len(class_names)
    counted = _are_counts(images, [inf] * classes) and any(images)
    check_rule("record['images']", images, f"be {classes} whole numbers, not all 0", counted)
    are_dicts = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    sets = sorted(str(row.get("deleted")) for row in rows) if are_dicts else rows
    # No list of all sets is made where their number is wrong: of 60 modules it would not end.
    complete = are_dicts and len(sets) == 2 ** len(modules)
    complete = complete and sets == list(map("".join, itertools.product("01", repeat=len(modules))))
    rule = (
        f"be dicts, one for each set of {len(modules)} modules in deleted, as a string of 0 and 1"
    )
    check_rule("record['without']", sets, rule, complete)
    for row in rows:
        for key, most in (("right", images), ("answers", [sum(images)] * classes)):
            what = f"{key} without {row['deleted']}"
            rule = f"be {classes} whole numbers, none above the number of images"
            check_rule(what, row.get(key), rule, _are_counts(row.get(key), most))
    return {**record, "without": sorted(rows, key=lambda row: str(row["deleted"]))}


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
