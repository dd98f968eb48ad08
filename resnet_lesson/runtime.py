"""The one place that configures and imports TensorFlow.

Import ``tf`` and ``keras`` from here. TensorFlow reads its settings once, when it is first
imported, so they must be in the environment before that.
"""

import contextlib
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO, Any


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Suppress what C++ writes to file descriptor 2; show it if the body raises."""
    _open_standard_outputs()
    with contextlib.suppress(AttributeError, OSError, ValueError):  # missing, full or closed
        sys.stderr.flush()
    saved = os.dup(2)
    with _temporary_file() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            captured.seek(0)
            with contextlib.suppress(OSError):
                os.write(saved, captured.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _open_standard_outputs() -> None:
    """Open descriptors 1 and 2 on the null device if they are closed.

    Otherwise the next files to be opened have these numbers, and get what C++ prints.
    """
    for number in (1, 2):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            if null != number:
                os.dup2(null, number)
                os.close(null)


def _temporary_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError:  # a full disk
        return open(os.devnull, "w+b")


# oneDNN's kernels are off by default on CPUs without AVX-512, where they double the speed.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Otherwise the gradient of every convolution's kernel is planned anew at every step, to save memory
# that today's oneDNN does not take.
os.environ.setdefault("TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The level silences TensorFlow's logger, not the lines written before that logger starts.
with quiet_stderr():
    import tensorflow as tf

    # Listing the devices starts the CUDA and CPU back ends, which print lines as well.
    tf.config.list_physical_devices()
    import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "this lesson needs Keras on TensorFlow, and Keras is set to "
        f"{keras.backend.backend()!r}: unset KERAS_BACKEND and restart"
    )


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow; in the main thread, free the graph of unused models.

    The global dtype policy of all threads stays, which Keras would reset with the graph.
    """
    if threading.current_thread() is threading.main_thread():
        policy = keras.config.dtype_policy()
        keras.backend.clear_session()
        if policy.name != keras.config.floatx():  # else it keeps following floatx
            keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(seed)


def callback_list(callbacks: Any) -> list[Any]:
    """The callbacks that ``fit`` was given, one or a list or Keras's own ``CallbackList``."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks.callbacks
    return keras.tree.flatten(callbacks) if callbacks else []


def use_one_thread() -> None:
    """Compute on one thread from here on: the same bits whatever the number of cores.

    Raises:
        RuntimeError: TensorFlow has already computed something on more.
    """
    if tf.config.threading.get_intra_op_parallelism_threads() != 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def device_name() -> str:
    """The GPU's name, or "CPU" and how many cores it has."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return f"CPU, {os.cpu_count()} cores"
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")


def versions() -> dict[str, str]:
    """Device and versions, on which a reported number depends, as a dict of strings."""
    return {
        "device": "GPU" if has_gpu() else "CPU",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }
