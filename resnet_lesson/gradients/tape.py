"""What a monitor records of a training step: a row of numbers, computed within the step."""

import contextlib
import itertools
import threading
from collections.abc import Iterator
from typing import Any

from ..backend import keras, native
from .history import HEAD, MEASURES, Reading
from .kernels import (
    CallLog,
    calls_by_kernel,
    in_order_of_use,
    kernel_paths,
    trainable_kernels,
)
from .norms import tensor_distance, tensor_norm

ops = keras.ops
# Steps kept on the device before they are fetched: one fetch of some hundred kilobytes.
CAPACITY = 256


class Tape:
    """Says what is recorded of a model's training steps; its ``recorder`` does that.

    The recorder, one of the backend's, calls it within each step, or within each trace of one: the
    step is run in ``step``, ``forward_pass`` and ``row`` compute, and ``applies`` counts.

    Args:
        model: the model whose training step is to be recorded.
        which: "kernels", or "all" for every weight.
        every: record one step in ``every``.
        seen: training steps counted before.

    Attributes:
        kernels: those that train, in order of use, once a step has run.
    """

    def __init__(self, model: keras.Model, which: str, every: int, seen: int) -> None:
        self.model, self.every, self.seen = model, every, seen
        self._which = which
        self.kernels: list[Any] = []
        self._paths: dict[int, str] = {}
        self._order: tuple[str, ...] = ()  # empty before the first forward pass
        self._log = CallLog(model)
        self._local = threading.local()  # a strategy traces each replica in a thread of its own
        self.recorder = native.Recorder(self, CAPACITY)
        if model.built:
            self._open()

    def _open(self) -> None:
        self.kernels = trainable_kernels(self.model, self._which)
        self._paths = kernel_paths(self.model, self._which)
        self.recorder.open()

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return HEAD + len(MEASURES) * len(self.kernels)

    def read(self, seen: int) -> Reading | None:
        """The rows that were written after ``seen`` steps; None before the first step."""
        if not self._order:
            return None
        return *self.recorder.read(seen), self._paths_of(self.kernels), self._order

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """A context in which a step runs, or is traced.

        Raises:
            ValueError: it did not apply gradients once.
        """
        self._local.applied = 0
        with self._log:
            self._log.clear()
            yield
            self._log.clear()
        if self._local.applied != 1:
            raise ValueError(
                "train_step must call apply or apply_gradients of model.optimizer exactly once, "
                f"received {self._local.applied} calls"
            )

    def applies(self) -> None:
        """The step applies gradients now."""
        self._local.applied += 1
        self.settle_order()

    def settle_order(self) -> None:
        """Put the columns in order of use, which the first forward pass shows."""
        if self._order:
            return
        if not self.kernels:
            self._open()
        weights = [weight for weight in self.model.weights if id(weight) in self._paths]
        self.kernels = in_order_of_use(self.kernels, self._log.calls, self.model)
        self._order = self._paths_of(in_order_of_use(weights, self._log.calls, self.model))

    def _paths_of(self, kernels: list[Any]) -> tuple[str, ...]:
        return tuple(self._paths[id(kernel)] for kernel in kernels)

    def of_kernels(self, grads: list[Any], variables: list[Any]) -> list[Any]:
        """The kernels' gradients in order, zeros where there is none."""
        key = native.key
        by_variable = {key(v): g for v, g in zip(variables, grads, strict=True) if g is not None}
        return [
            ops.convert_to_tensor(
                by_variable.get(key(kernel), ops.zeros(kernel.shape, kernel.dtype))
            )
            for kernel in self.kernels
        ]

    def forward_pass(self, before: list[Any], gradients: list[Any] | None = None) -> Any:
        """(2,) the step's loss, and the index of the kernel whose layer broke first.

        The index is -1 where the forward pass is sound, and the number of kernels where no layer
        broke and the loss did. Outputs are looked at only where the loss is not finite.

        Args:
            before: the kernels' values, in the order that is settled.
            gradients: theirs, which stand for the loss where the step computes none by
                ``compute_loss``.
        """
        found = [_readable(trace, [loss]) for trace, loss in self._log.losses]
        losses = [ops.cast(loss, native.WIDE) for loss in itertools.chain(*found)]
        if losses:
            loss = native.sum_over_replicas([sum(losses[1:], losses[0])])[0]
            sound = ops.isfinite(loss)
        else:
            loss = ops.convert_to_tensor(float("nan"), native.WIDE)
            sound = _are_finite(gradients or [])
        if native.is_seen(sound):
            return ops.stack([loss, ops.full_like(loss, -1)])
        suspects = self._suspects(before)

        def find_broken() -> Any:
            return ops.stack([ops.cast(~_are_finite(tensors), "int32") for _, tensors in suspects])

        broken = ops.cond(sound, lambda: ops.zeros(len(suspects), "int32"), find_broken)
        broken = native.sum_over_replicas([broken])[0] > 0
        no_layer = ops.where(sound, -1, len(before)) if losses else -1
        kernels = ops.convert_to_tensor([kernel for kernel, _ in suspects])
        first = ops.where(ops.any(broken), ops.take(kernels, ops.argmax(broken)), no_layer)
        return ops.stack([loss, ops.cast(first, native.WIDE)])

    def _suspects(self, before: list[Any]) -> list[tuple[int, list[Any]]]:
        """What may have broken, in order of use: a kernel's index, and weights or outputs."""
        calls = [c._replace(outputs=_readable(c.trace, c.outputs)) for c in self._log.calls]
        calls = [call for call in calls if call.outputs]
        suspects = []  # with the position in that order; a call's weights come before its outputs
        for kernel, used in enumerate(calls_by_kernel(self.kernels, calls, self.model)):
            suspects.append(((min(used, default=len(calls)), 0), kernel, [before[kernel]]))
            suspects += [((index, 1), kernel, calls[index].outputs) for index in used]
        suspects.sort(key=lambda suspect: suspect[0])
        return [(kernel, tensors) for _, kernel, tensors in suspects]

    def row(
        self,
        forward: Any,
        gradients: list[Any],
        scale: Any,
        before: list[Any],
        after: list[Any],
    ) -> Any:
        """(width - 1,) what is recorded of a step, behind its number.

        Args:
            forward: what ``forward_pass`` returned.
            gradients: the kernels', times ``scale``.
            scale: of the loss.
            before, after: the kernels' values around the update.
        """
        gradient = ops.stack([tensor_norm(value) for value in gradients]) / scale
        weight = ops.stack([tensor_norm(value) for value in before])
        change = ops.stack([tensor_distance(*pair) for pair in zip(after, before, strict=True)])
        ratio = ops.where(change == 0, ops.zeros_like(change), change / weight)
        return ops.concatenate([forward, gradient, weight, ratio])


def _readable(trace: Any, tensors: list[Any]) -> list[Any]:
    """The floating point ones, if they belong to the present trace, and not to that of a loop."""
    return list(filter(native.is_float, tensors)) if trace == native.trace() else []


def _are_finite(tensors: list[Any]) -> Any:
    return ops.all(ops.stack([ops.all(ops.isfinite(tensor)) for tensor in tensors]))
