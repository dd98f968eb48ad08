"""The content of a pickle of numbers, read without running anything that it names."""

import io
import pickle
import pickletools
import re
from typing import Any

import numpy as np

from ..untrusted import one_line

# At most; a batch of CIFAR-10 has 30,000 operations, and six tuples, one in the other.
OPERATIONS, TUPLES = 1_000_000, 1_000
ENCODED = 100_000_000  # characters; a batch has 31 million
# NumPy 2 has a "_core" for NumPy 1's "core".
_FOR_ARRAYS = (
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
)


def read(content: bytes) -> dict[str, Any]:
    """The dict that the bytes ``content`` are a pickle of, by Python 2 or 3 and NumPy 1 or 2.

    In it are dicts, lists, tuples, bytes, text, numbers and, as its own values, arrays of integers.
    Its keys are text, which Python 2 has as bytes.

    Raises:
        ValueError: it is damaged, or anything else.
    """
    try:
        _check_size(content)
        pickled = _Unpickler(io.BytesIO(content), encoding="bytes").load()
        return {_text(key): _array(value) for key, value in pickled.items()}
    except Exception as error:  # unpickling raises whatever damaged bytes lead to
        raise ValueError(f"must be a pickle of plain arrays, received {one_line(error)}") from error


def _check_size(content: bytes) -> None:
    """Refuse what is small here and large, or nested without end, when it is built."""
    tuples = 0
    for count, (operation, argument, _) in enumerate(pickletools.genops(content)):
        tuples += operation.name.startswith("TUPLE")
        memo: Any = argument if operation.name in ("PUT", "BINPUT", "LONG_BINPUT") else 0
        if count > OPERATIONS or memo > OPERATIONS or tuples > TUPLES:
            raise ValueError("more than there is in one")


class _RecordedCall:
    """A call that a pickle asks for, with its arguments and the state: recorded, not made."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    """Records the calls that make an array, and knows no other function or class."""

    _encoded = 0  # characters of text that became bytes

    def find_class(self, module: str, name: str) -> Any:
        # New ones each time: a pickle can change what it is given.
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes for Python 2
            return self._encode
        if (module.replace("numpy._core.", "numpy.core."), name) not in _FOR_ARRAYS:
            raise ValueError(f"one that asks for {module}.{name}")
        return type(name, (_RecordedCall,), {})

    def _encode(self, text: str, _: str) -> bytes:
        self._encoded += len(text)
        if self._encoded > ENCODED:
            raise ValueError("one that is small and would become large")
        return text.encode("latin1")


def _array(value: Any) -> Any:
    """The array that the recorded calls would make; other values as they are."""
    if not isinstance(value, _RecordedCall):
        return value
    if type(value).__name__ == "_reconstruct":
        shape, dtype, by_columns, content = value.state[-4:]
        order: Any = "F" if by_columns else "C"
    else:
        content, dtype, shape, order = value.arguments
    code, byte_order = _text(dtype.arguments[0]), _text(dtype.state[1])
    if not re.fullmatch(r"[iu][1248]", code):
        raise ValueError(f"an array of {code}")
    return np.frombuffer(content, byte_order + code).reshape(shape, order=order)


def _text(value: Any) -> Any:
    return value.decode("latin1") if isinstance(value, bytes) else value
