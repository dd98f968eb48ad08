"""A strategy for one device, where TensorFlow would have its own."""

import contextlib


class OneDevice:
    """What training asks of a ``tf.distribute.Strategy``."""

    num_replicas_in_sync = 1

    def scope(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()
