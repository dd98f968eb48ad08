"""The five orders of He et al. 2016: what reaches the input at birth, and how well they train."""

from ..networks.orders import ORDERS
from .engine import Study, product

EPOCHS = 10


def measure(part, order, depth, learning_rate, seed):
    """One line; what it tells depends on ``part``.

    At "birth": what a stack of (depth - 2) / 2 basic modules does from its first module to its
    last, both taken at their inputs. ``wire_log10_ratio``, ``whole_log10_ratio``: the gradient
    of the signal at the first over that at the last, carried by the shortcuts alone and by all
    together. ``growth``: the root mean square of the signal at the last over that at the first.

    In "training", after 10 epochs at ``learning_rate`` (null at birth): ``train_accuracy``,
    ``test_accuracy`` and ``epochs_to_90``, as in the study of degradation.
    """
    if part == "birth":
        return [_birth(order, (depth - 2) // 2, seed)]
    return [_training(order, depth, learning_rate, seed)]


def _birth(order, modules, seed):
    import numpy as np

    from ..gradients.stacks import stack_gradients

    stack = {"kind": "basic", "normalization": True, "shortcut": True, "order": order, "seed": seed}
    whole = stack_gradients(modules, **stack)
    wire = stack_gradients(modules, shortcut_only=True, **stack)
    ratios = {
        f"{name}_log10_ratio": float(np.log10(ends.signal_gradient[0] / ends.signal_gradient[-1]))
        for name, ends in [("wire", wire), ("whole", whole)]
    }
    return ratios | {"growth": float(whole.signal[-1] / whole.signal[0])}


def _training(order, depth, learning_rate, seed):
    from .trainer import epochs_to, trainer

    network = trainer(depth, True, order)
    network.restart(seed)
    reached = epochs_to(90, network.train(EPOCHS, learning_rate, seed))
    return network.accuracies() | {"epochs_to_90": reached}


_TRAINING = product(
    part=("training",), order=tuple(ORDERS), depth=(110, 20), learning_rate=(0.03, 0.1)
)
_BIRTH = product(part=("birth",), order=tuple(ORDERS), depth=(20, 56, 110), learning_rate=(None,))
STUDY = Study(
    name="orders",
    question="Which order of norm, ReLU and addition keeps the wire clean, and which trains?",
    grid=_TRAINING + _BIRTH,
    measure=measure,
)
