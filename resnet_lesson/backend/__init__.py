"""Keras, and what differs from one of its backends to another.

Only this module asks which backend Keras computes on. Those named in ``NAMES`` have a module each,
with the same functions, and ``native`` is that of the present one: all other code is written once.
"""

import importlib
import os
import platform
import threading
from typing import Any

from ..checks import BACKENDS as NAMES
from ..keras_settings import check_file
from ..output import quiet_matplotlib
from .quiet import quiet_stderr

# TensorFlow reads its settings once, when it is first imported.
# oneDNN's kernels are off by default on CPUs without AVX-512, where they double the speed.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Otherwise the gradient of every convolution's kernel is planned anew at every step, to save memory
# that today's oneDNN does not take.
os.environ.setdefault("TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
check_file()
# The level silences TensorFlow's logger, not the lines written before that logger starts.
with quiet_stderr(), quiet_matplotlib():
    try:
        import keras
    except ModuleNotFoundError as error:
        if error.name not in NAMES:
            raise
        raise ImportError(
            f"Keras needs its backend, {error.name}, which is not installed: install it, or set "
            f"KERAS_BACKEND to one of {', '.join(NAMES)} that is, and restart"
        ) from error

    NAME = keras.backend.backend()
    if NAME not in NAMES:
        raise ImportError(
            f"gradients need Keras on one of {', '.join(NAMES)}, and Keras is set to {NAME!r}: set "
            "KERAS_BACKEND and restart"
        )
    native: Any = importlib.import_module(f"{__package__}.{NAME}")
    native.has_gpu()  # to look for devices starts CUDA, which prints lines as well


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and the backend; in the main thread, free the graph of unused models.

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


def device_name() -> str:
    """The GPU's name, or "CPU" and how many cores it has."""
    return native.gpu_name() if native.has_gpu() else f"CPU, {os.cpu_count()} cores"


def versions() -> dict[str, str]:
    """Device and versions, on which a reported number depends, as a dict of strings."""
    return {
        "device": "GPU" if native.has_gpu() else "CPU",
        "machine": platform.machine(),
        "python": platform.python_version(),
        **native.VERSIONS,
        "keras": keras.__version__,
    }
