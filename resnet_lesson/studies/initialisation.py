"""What activation, initialiser, normalisation, shortcut and depth each do to the gradient."""

import numpy as np

from ..gradients.trends import trend
from .engine import Study, product
from .record import Row


def measure(
    activation: str, normalization: bool, shortcut: bool, initializer: str, depth: int, seed: int
) -> list[Row]:
    """One row about a stack of single convolutions at initialisation.

    ``factor`` and ``exponential`` are ``trends.trend`` of the signal's gradient on its way from
    the loss to the input; ``zeros`` counts the layers where it is exactly zero. ``log10_ratio``
    and ``weight_log10_ratio`` are the decades by which the gradient of the signal and of the
    weights is larger at the first layer than at the last; ``signal_log10_growth`` those by which
    the signal is larger at the last layer's input than at the first's. Decades are null where an
    end is zero or overflows.
    """
    from ..gradients.stacks import stack_gradients

    stack = stack_gradients(
        depth,
        kind="convolution",
        activation=activation,
        initializer=initializer,
        normalization=normalization,
        shortcut=shortcut,
        seed=seed,
    )
    factor, exponential = trend(stack.signal_gradient, "signal_gradient")
    return [
        {
            "factor": factor,
            "exponential": exponential,
            "zeros": int((stack.signal_gradient == 0).sum()),
            "log10_ratio": _decades(stack.signal_gradient),
            "weight_log10_ratio": _decades(stack.weight_gradient),
            "signal_log10_growth": _decades(stack.signal[::-1]),
        }
    ]


def _decades(norms: np.ndarray) -> float | None:
    """log10 of the first over the last, or None where one has no logarithm."""
    ends = norms[[0, -1]]
    if not (np.isfinite(ends) & (ends > 0)).all():
        return None
    first, last = np.log10(ends)
    return float(first - last)


STUDY = Study(
    name="initialisation",
    question="By which factor does each layer change the gradient, before any training?",
    # In this order, one compiled stack serves all initialisers and depths before the next.
    grid=product(
        activation=("sigmoid", "tanh", "relu"),
        normalization=(False, True),
        shortcut=(False, True),
        initializer=("glorot", "he"),
        depth=(20, 50, 100),
    ),
    measure=measure,
)
