"""What differs on JAX: a step is a pure function, and what it records is one of its results."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.extend
import keras
import numpy as np

from .elsewhere import *  # noqa: F403
from .elsewhere import OneDevice, one_device
from .patch import patched
from .pictures import decoded as decoded
from .rows import Rows

VERSIONS = {"jax": jax.__version__}
WIDE = "float32"  # in which norms are computed; JAX has no longer numbers unless it is told so
IS_EAGER = False  # every operation would be compiled by itself


def has_gpu() -> bool:
    """Whether JAX computes on a GPU."""
    return jax.default_backend() == "gpu"


def gpu_name() -> str:
    return jax.devices()[0].device_kind


def sum_of_squares(tensor: Any) -> Any:
    return jax.numpy.sum(jax.numpy.square(tensor))


def compiled(model: keras.Model, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors, which uses the model's variables, compiled.

    What it assigns to variables is dropped.
    """

    @jax.jit
    def stateless(values: list[Any], *tensors: Any) -> Any:
        mapping = zip(model.variables, values, strict=True)
        scope = keras.StatelessScope(mapping, collect_losses=True)
        scope.__enter__()
        try:
            return function(*tensors)
        finally:
            # It gives values to the variables made within, which are not to be parts of the trace.
            with jax.ensure_compile_time_eval():
                scope.__exit__()

    return lambda *tensors: stateless([variable.value for variable in model.variables], *tensors)


def gradients(model: keras.Model, loss: Callable[[], Any], weights: list[Any]) -> list[Any]:
    """The gradient of ``loss()`` with respect to each of the model's weights; zeros for none."""
    # Read here, as the scope within is not told of one around it.
    present = [(variable, variable.value) for variable in model.variables]

    def of(values: list[Any]) -> Any:
        mapping = [*present, *zip(weights, values, strict=True)]
        with keras.StatelessScope(mapping, collect_losses=True):
            return loss()

    return jax.grad(of)([weight.value for weight in weights])


def trace() -> Any:
    """What is traced at present, to be compared."""
    return jax.extend.core.get_opaque_trace_state()


def is_seen(flag: Any) -> bool:
    """Whether the flag can be seen to be true while the step runs; not in a trace."""
    return False


def is_float(tensor: Any) -> bool:
    """Whether it is an array of floating point numbers."""
    return isinstance(tensor, jax.Array) and jax.numpy.issubdtype(tensor.dtype, jax.numpy.floating)


class Recorder(Rows):
    """Makes a tape's row a result of the training step that Keras compiles."""

    # What the step that is traced has shown of its forward pass and of its update.
    _forward: Any = None
    _seen: Any = None

    def train_function(self) -> Callable[..., Any]:
        """The model's train function made anew, which records while it is in ``recording``."""
        model, train_step = self.tape.model, self.tape.model.train_step
        make = model._make_function

        def step(state: Any, data: Any) -> Any:
            is_due, data = data
            self._forward = None
            with self.tape.step():
                logs, state = train_step(state, data)
            if self._forward is not None:
                # It comes out of the pass that is differentiated behind the model's own results.
                weights, (*others, forward), *rest = state
                state = (weights, others, *rest)
            else:
                forward = keras.ops.convert_to_tensor([float("nan"), -1.0], WIDE)
            return (logs, self._row(is_due, forward)), state

        def recorded(step_function: Callable[..., Any]) -> Callable[..., Any]:
            def one(state: Any, data: Any) -> Any:
                (logs, row), state = step_function(state, (self.is_due, data))
                if isinstance(row, jax.core.Tracer):
                    raise ValueError(
                        "a GradientMonitor needs each step as one call, received several in one"
                    )
                self.step(row)
                return logs, state

            return one

        with (
            patched(model, "train_step", step),
            patched(model, "_make_function", lambda function: make(recorded(function))),
        ):
            model.make_train_function(force=True)
        return model.train_function

    def fetched(self, rows: Sequence[Any]) -> np.ndarray:
        return np.stack(jax.device_get(rows))  # to stack them first is compiled for each number

    @contextlib.contextmanager
    def recording(self) -> Any:
        """A context in which a step that is traced shows what it does."""
        tape, model, optimizer = self.tape, self.tape.model, self.tape.model.optimizer
        plain_apply, plain_pass = optimizer.stateless_apply, model.compute_loss_and_updates

        def loss_and_updates(*args: Any, **kwargs: Any) -> Any:
            loss, (unscaled, prediction, others, metrics) = plain_pass(*args, **kwargs)
            tape.settle_order()  # the pass has shown it
            values = self._of_kernels(args[0] if args else kwargs["trainable_variables"])
            self._forward = tape.forward_pass(values)
            return loss, (unscaled, prediction, [*others, self._forward], metrics)

        def stateless_apply(variables: Any, grads: Any, trainable_variables: Any) -> Any:
            tape.applies()
            updated = plain_apply(variables, grads, trainable_variables)
            mapping = zip(optimizer.variables, variables, strict=True)
            with keras.StatelessScope(mapping):
                scale = keras.ops.cast(optimizer.scale_loss(1.0), WIDE)
            self._seen = (list(grads), scale, list(trainable_variables), updated[0])
            return updated

        with (
            patched(optimizer, "stateless_apply", stateless_apply),
            patched(model, "compute_loss_and_updates", loss_and_updates),
        ):
            yield

    def _of_kernels(self, values: Any) -> list[Any]:
        """Of these values of all trainable variables, those of the kernels."""
        by_variable = dict(zip(map(id, self.tape.model.trainable_variables), values, strict=True))
        return [by_variable[id(kernel)] for kernel in self.tape.kernels]

    def _row(self, is_due: Any, forward: Any) -> Any:
        grads, scale, before, after = self._seen
        self._seen = self._forward = None  # parts of a trace, which ends
        gradients, before, after = map(self._of_kernels, (grads, before, after))

        def row() -> Any:
            return self.tape.row(forward, gradients, scale, before, after)

        if self.tape.every == 1:
            return row()
        return jax.lax.cond(is_due, row, lambda: jax.numpy.zeros(self.tape.width - 1, WIDE))


def mapped(
    function: Callable[..., Any], arrays: Sequence[Any], draws: Callable[[], Iterator[Any]]
) -> Iterator[Any]:
    """For ``fit``: ``function(*arrays, *draw)`` of each draw, a tuple of arrays of fixed shapes."""
    resident, compiled = [jax.numpy.asarray(array) for array in arrays], jax.jit(function)
    return (compiled(*resident, *draw) for draw in draws())


def make_deterministic() -> None:
    """XLA is deterministic on a CPU, and on a GPU where XLA_FLAGS says so before it starts."""


def compiles_steps(deterministic: bool) -> bool:
    """Whether a training step pays to be compiled."""
    return True


def steps_at_once() -> int:
    """Training steps, at most, that pay to be one call of ``fit``'s.

    Between two calls Keras waits for the loss. On a GPU a step is as short as what Python does
    around it, which several steps in one call do meanwhile.
    """
    return 10 if has_gpu() else 1


def devices(which: str) -> OneDevice:
    """One device.

    Raises:
        ValueError: there are several, and all are wanted.
    """
    return one_device(which, jax.device_count(), "jax")
