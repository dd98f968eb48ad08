"""What is the same on JAX and on PyTorch, and otherwise on TensorFlow."""

import contextlib
from collections.abc import Callable
from typing import Any


def takes_channels_first() -> bool:
    """Whether convolutions take (B, C, H, W) here."""
    return True


def fuses_batch_norm() -> bool:
    """``fuse_batch_norm`` is TensorFlow's."""
    return False


def untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    return function  # nothing keeps a trace of a function by itself


def sum_over_replicas(tensors: list[Any]) -> list[Any]:
    return tensors  # there are none


def key(variable: Any) -> int:
    return id(variable)


class OneDevice:
    """What training asks of a ``tf.distribute.Strategy``."""

    num_replicas_in_sync = 1

    def scope(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def one_device(which: str, found: int, backend: str) -> OneDevice:
    """One device of so many.

    Raises:
        ValueError: there are several, and all are wanted.
    """
    if which == "all" and found > 1:
        raise ValueError(f'devices="all" needs the TensorFlow backend, received {backend}')
    return OneDevice()
