"""What a monitor adds to a training step: norms, computed in the step's graph and kept there.

The wrapped ``optimizer.apply`` adds reads and writes, and no control dependency on the update. With
one, the graph optimiser no longer rearranges the update's sums and products as it does without a
monitor, and the weights differ in the last bit.
"""

import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..runtime import keras, tf
from .history import HEAD, MEASURES, Reading
from .kernels import (
    Call,
    CallLog,
    calls_by_kernel,
    in_order_of_use,
    kernel_paths,
    patched,
    trainable_kernels,
    untraced,
)
from .norms import tensor_distance, tensor_norm

# Steps kept on the device before they are fetched: one fetch of some hundred kilobytes.
CAPACITY = 256


class Tape:
    """Rows of norms on the device, the last ``capacity`` of them, and what writes them.

    Args:
        model: the model whose training step is to be recorded.
        every: record one step in ``every``.
        seen: training steps counted before.
    """

    def __init__(self, model: keras.Model, every: int, seen: int) -> None:
        self.model, self.every, self.seen = model, every, seen
        self.capacity = max(CAPACITY, model.steps_per_execution)
        self._kernels: list[Any] = []
        self._paths: dict[int, str] = {}
        self._order: tuple[str, ...] = ()  # empty before the first trace of a step
        self._log = CallLog(model)
        self._local = threading.local()  # a strategy traces each replica in a thread of its own

    def open(self) -> None:
        """Make the variables; where Keras builds the model, in its first trace at the latest."""
        self._kernels, self._paths = trainable_kernels(self.model), kernel_paths(self.model)
        # Each replica writes its own copy, without talking to the others; the first one's is read.
        local = {
            "trainable": False,
            "synchronization": tf.VariableSynchronization.ON_READ,
            "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA,
        }
        shape = (self.capacity, HEAD + len(MEASURES) * len(self._kernels))
        with tf.init_scope(), self.model.distribute_strategy.scope():
            self._steps = tf.Variable(self.seen, dtype=tf.int64, **local)
            self._rows = tf.Variable(np.zeros(shape), dtype=tf.float64, **local)

    def read(self, seen: int) -> Reading | None:
        """The rows that were written after ``seen`` steps; None before the first trace."""
        if not self._order:
            return None
        steps = int(self._steps.numpy())
        first, end = -(-seen // self.every), -(-steps // self.every)
        places = np.arange(max(first, end - self.capacity), end) % self.capacity
        rows = self._rows.numpy()[places] if len(places) else np.empty(0)
        return steps, rows, self._paths_of(self._kernels), self._order

    def traced_step(self, train_step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """``train_step``, refusing to be traced where it does not apply gradients once."""

        def step(data: Any) -> Any:
            self._local.applied = 0
            parts = tf.nest.flatten(data, expand_composites=True)
            self._local.batch = [part for part in parts if part is not None]
            with self._log:
                self._log.clear()
                logs = untraced(train_step)(data)
                self._log.clear()
            if self._local.applied != 1:
                raise ValueError(
                    "train_step must call apply or apply_gradients of model.optimizer exactly "
                    f"once, received {self._local.applied} calls"
                )
            return logs

        return step

    def recording(
        self, optimizer: keras.optimizers.Optimizer
    ) -> contextlib.AbstractContextManager[None]:
        """A context in which the optimizer's ``apply`` records."""
        apply = optimizer.apply

        def recording_apply(grads: Any, trainable_variables: Any = None) -> Any:
            self._local.applied += 1
            self._settle_order()
            grads = list(grads)
            if trainable_variables is None:
                variables = optimizer._trainable_variables
            else:
                variables = trainable_variables = list(trainable_variables)
            gradients = _sum_over_replicas(self._of_kernels(grads, variables))
            scale = tf.cast(optimizer.scale_loss(tf.ones(())), tf.float64)
            before = [tf.identity(kernel.value) for kernel in self._kernels]
            forward = self._forward_pass(gradients, before)
            result = apply(grads, trainable_variables)
            steps = tf.identity(self._steps)
            write = functools.partial(self._write, steps, forward, gradients, scale, before)
            if self.every == 1:
                written = write()
            else:
                written = tf.cond(steps % self.every == 0, write, lambda: tf.constant(False))
            # A step is counted when its row is written. And where a data set ends unexpectedly,
            # Keras runs a last step as far as that goes without a batch: it must not count.
            with tf.control_dependencies([written, *self._local.batch]):
                self._steps.assign(steps + 1)
            return result

        return patched(optimizer, "apply", recording_apply)

    def _settle_order(self) -> None:
        """Put the columns in order of use, which the first trace of the forward pass shows."""
        if self._order:
            return
        if not self._kernels:
            self.open()
        weights = [weight for weight in self.model.weights if id(weight) in self._paths]
        self._kernels = in_order_of_use(self._kernels, self._log.calls, self.model)
        self._order = self._paths_of(in_order_of_use(weights, self._log.calls, self.model))

    def _paths_of(self, kernels: list[Any]) -> tuple[str, ...]:
        return tuple(self._paths[id(kernel)] for kernel in kernels)

    def _of_kernels(self, grads: list[Any], variables: list[Any]) -> list[Any]:
        """The kernels' gradients in order, zeros where there is none."""
        by_variable = {_key(v): g for v, g in zip(variables, grads, strict=True) if g is not None}
        return [
            tf.convert_to_tensor(by_variable.get(_key(kernel), tf.zeros(kernel.shape)))
            for kernel in self._kernels
        ]

    def _forward_pass(self, gradients: list[Any], before: list[Any]) -> Any:
        """(2,) the step's loss, and the index of the kernel whose layer broke first.

        The index is -1 where the forward pass is sound, and the number of kernels where no layer
        broke and the loss did. Outputs are looked at only where the loss is not finite.
        """
        losses = [tf.cast(loss, tf.float64) for loss in self._log.losses if _is_readable(loss)]
        if losses:
            loss = _sum_over_replicas([tf.add_n(losses)])[0]
            sound = tf.math.is_finite(loss)
        else:
            loss = tf.constant(np.nan, tf.float64)
            sound = tf.reduce_all([_is_finite(gradient) for gradient in gradients])
        suspects = self._suspects(before)

        def find_broken() -> Any:
            return tf.cast(
                [~tf.reduce_all(list(map(_is_finite, tensors))) for _, tensors in suspects],
                "int32",
            )

        broken = tf.cond(sound, lambda: tf.zeros(len(suspects), tf.int32), find_broken)
        broken = _sum_over_replicas([broken])[0] > 0
        no_layer = tf.where(sound, -1, len(before)) if losses else tf.constant(-1)
        layer = tf.gather([kernel for kernel, _ in suspects], tf.argmax(broken))
        first = tf.where(tf.reduce_any(broken), layer, no_layer)
        return tf.stack([loss, tf.cast(first, tf.float64)])

    def _suspects(self, before: list[Any]) -> list[tuple[int, list[Any]]]:
        """What may have broken, in order of use: a kernel's index, and weights or outputs."""
        calls = [Call(c.layer, list(filter(_is_readable, c.outputs))) for c in self._log.calls]
        calls = [call for call in calls if call.outputs]
        suspects = []  # with the position in that order; a call's weights come before its outputs
        for kernel, used in enumerate(calls_by_kernel(self._kernels, calls, self.model)):
            suspects.append(((min(used, default=len(calls)), 0), kernel, [before[kernel]]))
            suspects += [((index, 1), kernel, calls[index].outputs) for index in used]
        suspects.sort(key=lambda suspect: suspect[0])
        return [(kernel, tensors) for _, kernel, tensors in suspects]

    def _write(
        self, steps: Any, forward: Any, gradients: list[Any], scale: Any, before: list[Any]
    ) -> Any:
        after = [tf.identity(kernel.value) for kernel in self._kernels]
        gradient = tf.stack([tensor_norm(value) for value in gradients]) / scale
        weight = tf.stack([tensor_norm(value) for value in before])
        change = tf.stack([tensor_distance(*pair) for pair in zip(after, before, strict=True)])
        ratio = tf.where(change == 0, tf.zeros_like(change), change / weight)
        row = tf.concat([[tf.cast(steps, tf.float64)], forward, gradient, weight, ratio], axis=0)
        place = (steps // self.every) % self.capacity
        rows = tf.tensor_scatter_nd_update(self._rows, [[place]], [row])
        with tf.control_dependencies([self._rows.assign(rows, read_value=False)]):
            return tf.constant(True)


def _is_readable(tensor: Any) -> bool:
    """Whether it is a tensor of numbers that the step's own graph can read."""
    if not isinstance(tensor, tf.Tensor) or not tensor.dtype.is_floating:
        return False
    return tf.executing_eagerly() or tensor.graph is tf.compat.v1.get_default_graph()


def _is_finite(tensor: Any) -> Any:
    return tf.reduce_all(tf.math.is_finite(tensor))


def _sum_over_replicas(tensors: list[Any]) -> list[Any]:
    """Summed over the replicas, as the optimizer does after clipping."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def _key(variable: Any) -> int:
    """Keras hands over its own variables or TensorFlow's below them."""
    return id(variable.value if isinstance(variable, keras.Variable) else variable)
