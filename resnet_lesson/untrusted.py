"""What is read from files that may be damaged, or made to do harm: within limits, and by name."""

import contextlib
import functools
import json
import math
import os
import reprlib
import stat
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Schema = dict[str, Any]  # https://json-schema.org, draft 4, whose integers are whole and no floats
LARGEST_JSON = 100_000_000  # bytes; the largest of this package's own have a few hundred thousand
# Parts of schemas.
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
OBJECT: Schema = {"type": "object"}


def listed(item: Schema, least: int = 0) -> Schema:
    """The schema of a list."""
    return {"type": "array", "items": item, "minItems": least}


def objects(**fields: Schema) -> Schema:
    """The schema of an object that has these fields, and may have more."""
    return OBJECT | {"required": list(fields), "properties": fields}


def one_line(text: object) -> str:
    """A text, perhaps of several lines, in one."""
    return " ".join(str(text).split())


@contextlib.contextmanager
def naming_damage(
    place: object, kind: str, remedy: str = "copy or download it again"
) -> Iterator[None]:
    """Any error in reading says that what is at ``place`` is not of this kind.

    But for the system's own of a file, such as one that may not be read.
    """
    try:
        yield
    except Exception as error:  # reading raises whatever damaged bytes lead to
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise ValueError(
            f"{place} must be {kind}, received a damaged or other file "
            f"({one_line(error) or type(error).__name__}): {remedy}"
        ) from error


def check_complete(path: object, names: Iterable[str], present: Collection[str]) -> None:
    """Refuse a file or folder in which one of these names is not present."""
    missing = [name for name in names if name not in present]
    if missing:
        raise ValueError(f"{path} must hold {', '.join(names)}, received none named {missing[0]}")


def read_file(path: Path, most: float = math.inf) -> bytes:
    """The bytes of a file, which is no pipe or device: to read one might never end.

    Raises:
        ValueError: it is, or has more than ``most`` bytes.
        OSError: it cannot be read.
    """
    check_no_stream(path)
    size = os.stat(path).st_size
    if size > most:
        raise ValueError(f"it has {size:,} bytes, more than {most:,}")
    return path.read_bytes()


def check_no_stream(path: Path) -> None:
    """Refuse a pipe or device.

    Raises:
        ValueError: it is one.
        OSError: there is nothing.
    """
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ValueError("it is no file of bytes")


def read_json(path: Path, schema: Schema, kind: str, remedy: str) -> Any:
    """The value in a JSON file.

    Args:
        path: of the file.
        schema: what the value must fit.
        kind, remedy: for the error: what the file should be, and what to do.

    Raises:
        ValueError: it is damaged, or another file; names it and what is wrong.
        OSError: it cannot be read.
    """
    with naming_damage(path, kind, remedy):
        return load_json(path, schema)


def load_json(path: Path, schema: Schema) -> Any:
    """``read_json``, for those who name the file themselves: the error says what is wrong."""
    return parse_json(read_file(path, LARGEST_JSON), schema)


def parse_json(content: bytes, schema: Schema) -> Any:
    """The value in bytes of JSON, which has no NaN and no number beyond a float's.

    Raises:
        ValueError: it is damaged, or does not fit the schema; says where.
    """
    text = content.decode("utf-8-sig")  # Windows's editor begins a file with a mark
    try:
        value = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
        json.dumps(value, ensure_ascii=False).encode()  # refuses half of a pair of surrogates
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return fitting(value, schema)


def fitting(value: Any, schema: Schema) -> Any:
    """The value, which fits the schema.

    Raises:
        ValueError: it does not; says where.
    """
    from fastjsonschema import JsonSchemaValueException

    try:
        return _validator(json.dumps(schema))(value, name_prefix="it")
    except JsonSchemaValueException as error:
        raise ValueError(f"{error.message}, received {reprlib.repr(error.value)}") from None


@functools.cache
def _validator(schema: str) -> Callable[..., Any]:
    import fastjsonschema

    draft = {"$schema": "http://json-schema.org/draft-04/schema#"}
    return fastjsonschema.compile(json.loads(schema) | draft)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"it has a number that JSON does not have, {reprlib.repr(digits)}")
    return number


def _whole(digits: str) -> int:
    _finite(digits)  # what computes with it takes it as a float somewhere
    return int(digits)


class Head(NamedTuple):
    """Shape and type of an array in a file, by its header."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        """What the array takes."""
        return math.prod(self.shape) * self.dtype.itemsize


def array_heads(archive: zipfile.ZipFile, names: Iterable[str]) -> dict[str, Head]:
    """The heads of arrays in an ``.npz``, by name, before anything large is unpacked.

    Raises:
        ValueError: one is no plain array, as ``np.savez`` writes it.
        KeyError: there is none of a name.
    """
    return {name: _head(archive, f"{name}.npy") for name in names}


def read_arrays(archive: zipfile.ZipFile, heads: Mapping[str, Head]) -> dict[str, np.ndarray]:
    """The arrays of these heads."""

    def array(name: str) -> np.ndarray:
        with archive.open(f"{name}.npy") as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    return {name: array(name) for name in heads}


def _head(archive: zipfile.ZipFile, name: str) -> Head:
    entry = archive.getinfo(name)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed in another way than NumPy's")
    with archive.open(name) as file:
        # np.save writes this version for plain arrays; a later one's header may be very large.
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name} has another format than 1.0")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        head = Head(shape, dtype)
        if dtype.hasobject:
            raise ValueError(f"{name} holds objects")
        if file.tell() + head.nbytes != entry.file_size:
            raise ValueError(f"{name} is not as long as it says")
    return head
