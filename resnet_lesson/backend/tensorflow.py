"""What differs on TensorFlow: graphs are traced and keep what they record in variables."""

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .patch import patched
from .quiet import quiet_stderr

VERSIONS = {"tensorflow": tf.__version__}
WIDE = "float64"  # in which norms are computed

IS_EAGER = True  # without a trace, a function runs at once


@functools.cache
def quiet_compiler() -> None:
    """Have XLA compile for the first time here: TensorFlow 2.20 says so once, on stderr."""
    if tf.__version__.startswith("2.20."):
        with quiet_stderr():
            tf.function(lambda: tf.zeros(()), jit_compile=True)()


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def gpu_name() -> str:
    gpu = tf.config.list_physical_devices("GPU")[0]
    return tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")


def takes_channels_first() -> bool:
    """Whether convolutions take (B, C, H, W) here."""
    return has_gpu()


def sum_of_squares(tensor: Any) -> Any:
    # l2_loss is half the sum of squares, and makes no tensor of squares on the way.
    return 2 * tf.nn.l2_loss(tensor)


def compiled(model: keras.Model, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors, which uses the model's variables, as one graph."""
    return tf.function(function, autograph=False)


def gradients(model: keras.Model, loss: Callable[[], Any], weights: list[Any]) -> list[Any]:
    """The gradient of ``loss()`` with respect to each of the model's weights, or None."""
    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, [weight.value for weight in weights])
    # An embedding's comes as the rows that the batch looked up, some perhaps twice.
    return [None if gradient is None else tf.convert_to_tensor(gradient) for gradient in found]


def untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, or a new one where TensorFlow keeps old traces, in which no call is logged."""
    if not isinstance(function, tf.types.experimental.PolymorphicFunction):
        return function
    python = function.python_function
    return python if tf.executing_eagerly() else tf.function(python)


def trace() -> Any:
    """What is traced at present: a graph, or None."""
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def is_seen(flag: Any) -> bool:
    """Whether the flag can be seen to be true while the step runs; not in a trace."""
    return False


def is_float(tensor: Any) -> bool:
    """Whether it is a plain tensor of floating point numbers."""
    return isinstance(tensor, tf.Tensor) and tensor.dtype.is_floating


def sum_over_replicas(tensors: list[Any]) -> list[Any]:
    """Summed over the replicas, as the optimizer does after clipping."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def key(variable: Any) -> int:
    """Keras hands over its own variables or TensorFlow's below them."""
    return id(variable.value if isinstance(variable, keras.Variable) else variable)


class Recorder:
    """Writes a tape's row in the graph of each training step, and keeps the last ones there.

    The wrapped ``optimizer.apply`` adds reads and writes, and no control dependency on the update.
    With one, the graph optimiser no longer rearranges the update's sums and products as it does
    without a monitor, and the weights differ in the last bit.

    Args:
        tape: see ``gradients.tape``.
        capacity: rows that are kept on the device.
    """

    def __init__(self, tape: Any, capacity: int) -> None:
        self.tape, self.capacity = tape, max(capacity, tape.model.steps_per_execution)
        self._local = threading.local()  # a strategy traces each replica in a thread of its own

    def open(self) -> None:
        """Make the variables; where Keras builds the model, in its first trace at the latest."""
        # Each replica writes its own copy, without talking to the others; the first one's is read.
        local = {
            "trainable": False,
            "synchronization": tf.VariableSynchronization.ON_READ,
            "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA,
        }
        shape = (self.capacity, self.tape.width)
        with tf.init_scope(), self.tape.model.distribute_strategy.scope():
            self._steps = tf.Variable(self.tape.seen, dtype=tf.int64, **local)
            self._rows = tf.Variable(np.zeros(shape), dtype=tf.float64, **local)

    def read(self, seen: int) -> tuple[int, np.ndarray]:
        """How many steps there were, and the rows that were written after ``seen`` steps."""
        every, steps = self.tape.every, int(self._steps.numpy())
        first, end = -(-seen // every), -(-steps // every)
        places = np.arange(max(first, end - self.capacity), end) % self.capacity
        return steps, self._rows.numpy()[places] if len(places) else np.empty(0)

    def train_function(self) -> Callable[..., Any]:
        """The model's train function made anew, which records while it is in ``recording``."""
        model, train_step = self.tape.model, self.tape.model.train_step

        def step(data: Any) -> Any:
            parts = tf.nest.flatten(data, expand_composites=True)
            self._local.batch = [part for part in parts if part is not None]
            with self.tape.step():
                return untraced(train_step)(data)

        # Keras takes the step from the model when it makes the function.
        with patched(model, "train_step", step):
            model.make_train_function(force=True)
        return model.train_function

    def recording(self) -> contextlib.AbstractContextManager[None]:
        """A context in which the optimizer's ``apply`` records."""
        tape, optimizer = self.tape, self.tape.model.optimizer
        apply = optimizer.apply

        def recording_apply(grads: Any, trainable_variables: Any = None) -> Any:
            tape.applies()
            grads = list(grads)
            if trainable_variables is None:
                variables = optimizer._trainable_variables
            else:
                variables = trainable_variables = list(trainable_variables)
            gradients = sum_over_replicas(tape.of_kernels(grads, variables))
            scale = tf.cast(optimizer.scale_loss(tf.ones(())), tf.float64)
            before = [tf.identity(kernel.value) for kernel in tape.kernels]
            forward = tape.forward_pass(before, gradients)
            result = apply(grads, trainable_variables)
            steps = tf.identity(self._steps)
            write = functools.partial(self._write, steps, forward, gradients, scale, before)
            if tape.every == 1:
                written = write()
            else:
                written = tf.cond(steps % tape.every == 0, write, lambda: tf.constant(False))
            # A step is counted when its row is written. And where a data set ends unexpectedly,
            # Keras runs a last step as far as that goes without a batch: it must not count.
            with tf.control_dependencies([written, *self._local.batch]):
                self._steps.assign(steps + 1)
            return result

        return patched(optimizer, "apply", recording_apply)

    def _write(
        self, steps: Any, forward: Any, gradients: list[Any], scale: Any, before: list[Any]
    ) -> Any:
        after = [tf.identity(kernel.value) for kernel in self.tape.kernels]
        measured = self.tape.row(forward, gradients, scale, before, after)
        row = tf.concat([[tf.cast(steps, tf.float64)], measured], axis=0)
        place = (steps // self.tape.every) % self.capacity
        rows = tf.tensor_scatter_nd_update(self._rows, [[place]], [row])
        with tf.control_dependencies([self._rows.assign(rows, read_value=False)]):
            return tf.constant(True)


def mapped(
    function: Callable[..., Any], arrays: Sequence[Any], draws: Callable[[], Iterator[Any]]
) -> Any:
    """For ``fit``: ``function(*arrays, *draw)`` of each draw, a tuple of arrays of fixed shapes."""
    signature = tuple(tf.TensorSpec(part.shape, part.dtype) for part in next(draws()))
    with tf.device("CPU"):  # where tf.data works; a GPU's memory is for the network
        # From outside: TensorFlow would multiply by the reciprocal of a constant.
        tensors = [tf.constant(array) for array in arrays]
    drawn = tf.data.Dataset.from_generator(draws, output_signature=signature)
    plain = tf.autograph.experimental.do_not_convert(functools.partial(function, *tensors))
    # The thread that would tune these numbers may notice a minute late that an iterator is freed,
    # and the end of a training, or Ctrl-C, would wait for it.
    options = tf.data.Options()
    options.autotune.enabled = False
    return drawn.map(plain, os.cpu_count()).prefetch(2).with_options(options)


def devices(which: str) -> Any:
    """The ``tf.distribute.Strategy`` of one device, or all: the GPUs, or logical CPU devices."""
    found = tf.config.list_logical_devices("GPU" if has_gpu() else "CPU")
    if which == "one" or len(found) == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in found])


def make_deterministic() -> None:
    """Choose kernels that give the same bits again."""
    tf.config.experimental.enable_op_determinism()


def compiles_steps(deterministic: bool) -> bool:
    """Whether a training step pays to be compiled."""
    # XLA's convolutions are slow on a CPU, and determinism turns it off.
    return has_gpu() and not deterministic


def steps_at_once() -> int:
    """Training steps, at most, that pay to be one call of ``fit``'s."""
    return 1


def fuses_batch_norm() -> bool:
    """Whether ``fuse_batch_norm`` pays here: on a GPU, XLA fuses it."""
    return not has_gpu()


def decoded(content: bytes) -> np.ndarray:
    """The picture in a file of this content, (H, W, 3) of uint8.

    Raises:
        ValueError: it is damaged, or none.
    """
    try:
        return tf.io.decode_image(content, channels=3, expand_animations=False).numpy()
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(str(error)) from error
