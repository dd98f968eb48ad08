"""The Euclidean norm of arrays and of tensors, zero or infinite only when the entries are."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..runtime import tf


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
    """The norm of all entries of these tensors together, a float64 scalar tensor.

    Squares of float32 and shorter types stay within the range of float64; where a tensor is
    float64 already, the largest entry is divided out first.
    """
    entries = [tf.cast(tensor, tf.float64) for tensor in tensors]
    if all(tensor.dtype != tf.float64 for tensor in tensors):
        return _root_of_squares(entries)
    largest = tf.reduce_max([tf.reduce_max(tf.abs(values)) for values in entries])
    usable = (largest > 0) & tf.math.is_finite(largest)
    unit = tf.where(usable, largest, tf.ones_like(largest))
    return unit * _root_of_squares([values / unit for values in entries])


def tensor_distance(after: Any, before: Any) -> Any:
    """The norm of ``after - before``, two tensors of one shape and type, subtracted in float64."""
    if after.dtype == tf.float64:
        return tensor_norm(after - before)
    return _root_of_squares([tf.cast(after, tf.float64) - tf.cast(before, tf.float64)])


def _root_of_squares(tensors: list[Any]) -> Any:
    # l2_loss is half the sum of squares, and makes no tensor of squares on the way.
    return tf.sqrt(2 * tf.add_n([tf.nn.l2_loss(values) for values in tensors]))
