"""The five orders of He et al. 2016: the gradient at initialisation, and how well they train."""

from typing import Any

import numpy as np

from ..networks.orders import ORDERS
from .engine import Study, product
from .record import Row

EPOCHS = 10


def measure(part: str, order: str, depth: int, learning_rate: float | None, seed: int) -> list[Row]:
    """One row; its measures depend on ``part``.

    "birth", at initialisation: what a stack of (depth - 2) / 2 basic modules does from its first
    module to its last, both taken at their inputs. ``wire_log10_ratio``, ``whole_log10_ratio``: the
    gradient of the signal at the first over that at the last, carried by the shortcuts alone and by
    all together. ``growth``: the root mean square of the signal at the last over that at the first.

    "training", after 10 epochs at ``learning_rate`` (null at initialisation): ``train_accuracy``,
    ``test_accuracy`` and ``epochs_to_90``, as in the study of degradation.
    """
    if part == "birth":
        return [_at_initialisation(order, (depth - 2) // 2, seed)]
    assert learning_rate is not None
    return [_training(order, depth, learning_rate, seed)]


def _at_initialisation(order: str, modules: int, seed: int) -> Row:
    from ..gradients.stacks import stack_gradients

    options: dict[str, Any] = {"normalization": True, "shortcut": True, "order": order}
    full = stack_gradients(modules, kind="basic", seed=seed, **options)
    wire = stack_gradients(modules, kind="basic", seed=seed, shortcut_only=True, **options)
    ratios = {
        f"{name}_log10_ratio": float(np.log10(stack.signal_gradient[0] / stack.signal_gradient[-1]))
        for name, stack in [("wire", wire), ("whole", full)]
    }
    return ratios | {"growth": float(full.signal[-1] / full.signal[0])}


def _training(order: str, depth: int, learning_rate: float, seed: int) -> Row:
    from .trainer import epochs_to, start

    trainer = start(seed, depth, True, order)
    reached = epochs_to(90, trainer.train(EPOCHS, learning_rate, seed))
    return trainer.accuracies() | {"epochs_to_90": reached}


STUDY = Study(
    name="orders",
    question="Which order of norm, ReLU and addition keeps the wire clean, and which trains?",
    grid=product(
        part=("training",),
        order=tuple(ORDERS),
        depth=(110, 20),
        learning_rate=(0.01, 0.03, 0.1, 0.3),
    )
    + product(part=("birth",), order=tuple(ORDERS), depth=(20, 56, 110), learning_rate=(None,)),
    measure=measure,
)
