"""TensorFlow, for what runs on it alone: the lesson, its explorer and the studies.

All else takes ``keras`` from ``backend``, and computes on any that Keras has.
"""

from .backend import NAME, callback_list, device_name, keras, set_seed, versions
from .keras_settings import NEEDS_TENSORFLOW

if NAME != "tensorflow":
    raise ImportError(NEEDS_TENSORFLOW.format(NAME))

from .backend.tensorflow import has_gpu, quiet_compiler, tf

__all__ = [
    "callback_list",
    "device_name",
    "has_gpu",
    "keras",
    "quiet_compiler",
    "set_seed",
    "tf",
    "use_one_thread",
    "versions",
]


def use_one_thread() -> None:
    """Compute on one thread from here on: the same bits whatever the number of cores.

    Raises:
        RuntimeError: TensorFlow has already computed something on more.
    """
    if tf.config.threading.get_intra_op_parallelism_threads() != 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
