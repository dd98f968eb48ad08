"""The sizes of a network: the rules in words, and the checks that hold them.

TensorFlow is not needed, so that sizes can follow a slider.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

from ..checks import CHOICE, POSITIVE, check_choice, check_integer
from .orders import ORDERS

# All sentences that the builder's page fills in, too; those of every argument are in ``checks``.
RULES = {
    "positive": POSITIVE,
    "list": "{what} must be a non-empty list or tuple, received {value}",
    "by_four": "{what} must be divisible by 4, as a bottleneck works at a quarter of them, "
    "received {value}",
    "lengths": "filters must have one entry for the stem and one for each stage: {stages} stages "
    "need {needed} filters, received {value}",
    "halvings": "{what} must be at least {least} pixels to be halved {halvings} times, "
    "received {value}",
    "order": CHOICE.replace("{what}", "order"),
}


def _refuse(rule: str, **values: Any) -> NoReturn:
    raise ValueError(RULES[rule].format(**values))


def check_bottleneck_filters(what: str, value: Any) -> int:
    value = check_integer(what, value)
    if value % 4:
        _refuse("by_four", what=what, value=value)
    return value


def check_list(what: str, values: Any) -> tuple[int, ...]:
    values = getattr(values, "tolist", lambda: values)()  # an array's
    if not isinstance(values, (list, tuple)) or not values:
        _refuse("list", what=what, value=repr(values))
    return tuple(check_integer(f"{what}[{index}]", value) for index, value in enumerate(values))


def check_order(order: Any) -> str:
    return check_choice("order", order, ORDERS)


def modules_per_stage(depth: Any, stages: Any, bottleneck: bool, what: str = "depth") -> int:
    """Of He's family, whose layers are a stem, a classifier, and equally many modules a stage."""
    depth, stages = check_integer(what, depth), check_integer("stages", stages)
    per_unit = (3 if bottleneck else 2) * stages
    if depth < per_unit + 2 or (depth - 2) % per_unit:
        kind = "bottlenecks" if bottleneck else "basic modules"
        raise ValueError(
            f"{what} must be {per_unit}n + 2 with {kind}, n at least 1, received {depth}"
        )
    return (depth - 2) // per_unit


def check_halvings(width: int, height: int, halvings: int) -> None:
    """A halving needs two pixels to halve; sizes round up, so 2**(halvings - 1) + 1 survive."""
    least = 2 ** (halvings - 1) + 1 if halvings else 1
    for what, value in [("width", width), ("height", height)]:
        if value < least:
            _refuse("halvings", what=what, least=least, halvings=halvings, value=value)


def check_build(
    width: int,
    height: int,
    depth: int,
    classes: int,
    stages: Sequence[int],
    filters: Sequence[int],
    order: str,
) -> tuple[int, int, int, int, tuple[int, ...], tuple[int, ...]]:
    """The sizes as ``build`` uses them: whole numbers and tuples of them.

    Raises:
        ValueError: names the rule and the value.
    """
    width, height = check_integer("width", width), check_integer("height", height)
    depth, classes = check_integer("depth", depth), check_integer("classes", classes)
    stages, filters = check_list("stages", stages), check_list("filters", filters)
    if len(filters) != len(stages) + 1:
        _refuse("lengths", stages=len(stages), needed=len(stages) + 1, value=filters)
    for index, value in enumerate(filters[1:], start=1):
        check_bottleneck_filters(f"filters[{index}]", value)
    # The pooling and every stage but the first halve the image: as many halvings as stages.
    check_halvings(width, height, len(stages))
    check_order(order)
    return width, height, depth, classes, stages, filters
