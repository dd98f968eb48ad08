"""What differs on PyTorch: a step is computed as it is called, and so is what it records."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import torch

from .elsewhere import *  # noqa: F403
from .elsewhere import OneDevice, one_device
from .patch import patched
from .pictures import decoded as decoded
from .rows import Rows

VERSIONS = {"torch": torch.__version__}
WIDE = "float64"  # in which norms are computed
IS_EAGER = True  # a function runs at once


def has_gpu() -> bool:
    """Whether PyTorch sees a GPU."""
    return torch.cuda.is_available()


def gpu_name() -> str:
    return torch.cuda.get_device_name()


def sum_of_squares(tensor: Any) -> Any:
    return torch.linalg.vector_norm(tensor) ** 2  # without a tensor of squares


def compiled(model: keras.Model, function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def gradients(model: keras.Model, loss: Callable[[], Any], weights: list[Any]) -> list[Any]:
    """The gradient of ``loss()`` with respect to each of the model's weights, or None."""
    with torch.enable_grad():
        value = loss()
    if not value.requires_grad:
        return [None for _ in weights]
    values = [weight.value for weight in weights]
    return list(torch.autograd.grad(value, values, allow_unused=True))


def trace() -> Any:
    """Nothing is traced."""
    return None


def is_seen(flag: Any) -> bool:
    """Whether the flag can be seen to be true while the step runs."""
    return bool(flag)


def is_float(tensor: Any) -> bool:
    """Whether it is a tensor of floating point numbers."""
    return torch.is_tensor(tensor) and tensor.is_floating_point()


class Recorder(Rows):
    """Computes a tape's row when the optimizer is applied."""

    _row: Any = None  # of the present step, once it has been computed

    def train_function(self) -> Callable[..., Any]:
        """The model's train function, which records while it is in ``recording``."""
        model = self.tape.model
        model.make_train_function(force=True)
        return model.train_function

    def fetched(self, rows: Sequence[Any]) -> np.ndarray:
        return torch.stack(list(rows)).cpu().numpy()

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """A context in which a training step records."""
        model, optimizer = self.tape.model, self.tape.model.optimizer
        train_step, apply = model.train_step, optimizer.apply

        def step(data: Any) -> Any:
            with self.tape.step():
                logs = train_step(data)
            self.step(self._row)
            self._row = None
            return logs

        def recording_apply(grads: Any, trainable_variables: Any = None) -> Any:
            self.tape.applies()
            if not self.is_due:
                return apply(grads, trainable_variables)
            grads = list(grads)
            if trainable_variables is not None:
                trainable_variables = list(trainable_variables)
            with torch.no_grad():
                return self._measured(apply, grads, trainable_variables)

        with patched(model, "train_step", step), patched(optimizer, "apply", recording_apply):
            yield

    def _measured(self, apply: Any, grads: list[Any], trainable_variables: Any) -> Any:
        tape, optimizer = self.tape, self.tape.model.optimizer
        gradients = tape.of_kernels(grads, trainable_variables or optimizer._trainable_variables)
        scale = keras.ops.cast(optimizer.scale_loss(1.0), WIDE)
        before = [kernel.value.detach().clone() for kernel in tape.kernels]
        forward = tape.forward_pass(before, gradients)
        result = apply(grads, trainable_variables)
        after = [kernel.value for kernel in tape.kernels]
        self._row = tape.row(forward, gradients, scale, before, after)
        return result


def mapped(
    function: Callable[..., Any], arrays: Sequence[Any], draws: Callable[[], Iterator[Any]]
) -> Iterator[Any]:
    """For ``fit``: ``function(*arrays, *draw)`` of each draw, a tuple of arrays of fixed shapes."""
    tensor = keras.ops.convert_to_tensor
    resident = [tensor(array) for array in arrays]
    return (function(*resident, *map(tensor, draw)) for draw in draws())


def make_deterministic() -> None:
    """Choose kernels that give the same bits again."""
    torch.use_deterministic_algorithms(True)


def compiles_steps(deterministic: bool) -> bool:
    """Whether a training step pays to be compiled."""
    return False


def steps_at_once() -> int:
    """Training steps, at most, that pay to be one call of ``fit``'s; Keras refuses several."""
    return 1


def devices(which: str) -> OneDevice:
    """One device.

    Raises:
        ValueError: there are several, and all are wanted.
    """
    return one_device(which, torch.cuda.device_count(), "torch")
