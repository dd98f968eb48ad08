"""The Euclidean norm, that is zero or infinite only when the entries are."""

import numpy as np


def norm(values):
    """The Euclidean norm, zero or infinite only when the entries are.

    Squares leave the range of float32 long before the entries do, so the largest entry is
    divided out first.
    """
    values = np.asarray(values, dtype=np.float64)
    largest = np.max(np.abs(values), initial=0.0)
    if largest == 0 or not np.isfinite(largest):
        return float(largest)
    return float(largest * np.linalg.norm(values / largest))
