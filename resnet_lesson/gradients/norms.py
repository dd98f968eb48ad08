"""The Euclidean norm of arrays and of tensors, zero or infinite only when the entries are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..backend import keras, native

ops = keras.ops


def norm(values: ArrayLike) -> float:
    """The norm of all entries of an array of any shape.

    Squares leave the range of a number long before the entries do, so the largest entry is
    divided out first.
    """
    values = np.asarray(values, dtype=np.float64)
    largest = np.max(np.abs(values), initial=0.0)
    if largest == 0 or not np.isfinite(largest):
        return float(largest)
    return float(largest * np.linalg.norm(values / largest))


def tensor_norm(*tensors: Any) -> Any:
    """The norm of all entries of these tensors together, a scalar of type ``native.WIDE``."""
    return _norm([ops.cast(tensor, native.WIDE) for tensor in tensors], _squares_fit(tensors))


def tensor_distance(after: Any, before: Any) -> Any:
    """The norm of ``after - before``, two tensors of one shape, subtracted as ``native.WIDE``."""
    change = ops.cast(after, native.WIDE) - ops.cast(before, native.WIDE)
    return _norm([change], _squares_fit([after, before]))


def _squares_fit(tensors: Sequence[Any]) -> bool:
    """Whether squares stay in range: of float32 and shorter types they do, as float64."""
    types = {keras.backend.standardize_dtype(tensor.dtype) for tensor in tensors}
    return native.WIDE == "float64" and "float64" not in types


def _norm(tensors: list[Any], squares_fit: bool) -> Any:
    """Of all entries together; where squares may not fit, the largest is divided out first."""
    if squares_fit:
        return _root_of_squares(tensors)
    largest = ops.max(ops.stack([ops.max(ops.abs(values)) for values in tensors]))
    usable = (largest > 0) & ops.isfinite(largest)
    unit = ops.where(usable, largest, ops.ones_like(largest))
    return unit * _root_of_squares([values / unit for values in tensors])


def _root_of_squares(tensors: list[Any]) -> Any:
    squares = [native.sum_of_squares(values) for values in tensors]
    return ops.sqrt(sum(squares[1:], squares[0]))
