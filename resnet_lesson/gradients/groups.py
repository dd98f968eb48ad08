"""Norms of parts of a network: of a stage, of a block, of all that was measured."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..checks import check_choice
from .probe import KernelNorms


def _words(path: str) -> list[str]:
    """Those of the layer's name, which in this package begins as in stage2_unit3_conv1."""
    return path.split("/")[0].split("_")


GROUPS: dict[str, Callable[[str], str]] = {
    "stage": lambda path: _words(path)[0],
    "block": lambda path: "_".join(_words(path)[: 2 if path.startswith("stage") else 1]),
    "total": lambda path: "total",
}


def grouped_norms(measured: Any, by: str | Callable[[str], str] = "stage") -> Any:
    """Norms of groups: of all numbers in a group together, as if they were one long vector.

    Args:
        measured: the list that ``gradient_norms`` returned, or the ``records`` of a
            ``GradientMonitor``.
        by: "stage" or "block", for networks of this package; "total" for one group of all; for
            other models a function from a path to the name of its group, such as
            ``lambda path: path.split("_")[0]``.

    Returns:
        The same as was given, with groups in the place of layers, in the order of their first
        layers. A step's ``update_ratio`` is the norm of the group's change over that of its
        weights; NaN where a weight of zeros moved, whose change is not on record.

    Raises:
        ValueError: ``by`` is another word.
    """
    if not callable(by):
        check_choice("by", by, GROUPS)
        by = GROUPS[by]
    if isinstance(measured, Mapping):
        return _of_records(measured, by)
    columns = _columns([norms.layer for norms in measured], by)
    return [
        KernelNorms(
            name,
            *(float(np.hypot.reduce([measured[at][part] for at in places])) for part in (1, 2)),
        )
        for name, places in columns.items()
    ]


def _columns(layers: list[str], by: Callable[[str], str]) -> dict[str, list[int]]:
    """The places of each group's layers."""
    columns: dict[str, list[int]] = {}
    for place, layer in enumerate(layers):
        columns.setdefault(by(layer), []).append(place)
    return columns


def _of_records(records: Mapping[str, np.ndarray], by: Callable[[str], str]) -> dict[str, Any]:
    columns = _columns(records["layers"].tolist(), by)

    def joined(values: np.ndarray) -> np.ndarray:
        """(steps, layers) -> (steps, groups); a group is masked where all its layers are."""
        # ``hypot`` does not square what is too large or too small for that.
        norms = [
            np.hypot.reduce(np.ma.filled(values, 0)[:, places], axis=1)
            for places in columns.values()
        ]
        if not isinstance(values, np.ma.MaskedArray):
            return np.stack(norms, axis=1)
        hidden = np.ma.getmaskarray(values)
        masks = [hidden[:, places].all(axis=1) for places in columns.values()]
        return np.ma.array(np.stack(norms, axis=1), mask=np.stack(masks, axis=1))

    weights = joined(records["weight_norm"])
    # A kernel of zeros that moves has an infinite ratio, and no change can be told from that.
    with np.errstate(invalid="ignore", divide="ignore"):
        changes = joined(records["update_ratio"] * records["weight_norm"])
        ratios = np.where(changes == 0, 0.0, changes / weights)
    if isinstance(weights, np.ma.MaskedArray):
        ratios = np.ma.array(ratios, mask=weights.mask)
    return {
        **records,
        "gradient_norm": joined(records["gradient_norm"]),
        "weight_norm": weights,
        "update_ratio": ratios,
        "layers": np.array(list(columns), dtype=str),
    }
