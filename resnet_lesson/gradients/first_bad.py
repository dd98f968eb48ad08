"""Where numbers first stopped being finite in a training, by what a monitor recorded."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np


class FirstBad(NamedTuple):
    """Where numbers first were not finite: ``what`` is "NaN" or "infinite".

    ``where`` says what was bad. "gradient": loss and weights were still finite, and ``layer`` is
    the one nearest the loss whose gradient was not. "forward pass": they were not, and ``layer`` is
    the first in order of use whose weights or output were not; "loss" where no layer's were. Only
    layers whose kernels train are looked at.
    """

    layer: str
    step: int
    what: str
    where: str = "gradient"


def first_bad(records: Mapping[str, np.ndarray]) -> FirstBad | None:
    """The ``FirstBad`` of a monitor's ``records``, or None."""
    gradients, weights, losses = (
        np.ma.filled(records[name], 0.0) for name in ("gradient_norm", "weight_norm", "loss")
    )
    finite = np.isfinite(np.concatenate([gradients, weights], axis=1)).all(axis=1)
    bad_steps = np.flatnonzero(~finite | (records["broken"] != ""))
    if not len(bad_steps):
        return None
    step = bad_steps[0]
    layer, values = records["broken"][step], losses[step]
    # A ReLU may turn NaN into zero: then the loss is finite behind a weight that is not.
    bad_weights = np.flatnonzero(~np.isfinite(weights[step]))
    if len(bad_weights):
        layer, values = layer or records["layers"][bad_weights[0]], weights[step]
    where = "forward pass"
    if not layer:
        # The gradient travels from the loss to the input.
        nearest = np.flatnonzero(~np.isfinite(gradients[step]))[-1]
        layer, values, where = records["layers"][nearest], gradients[step, nearest], "gradient"
    what = "NaN" if np.isnan(values).any() else "infinite"
    return FirstBad(str(layer), int(records["step"][step]), what, where)
