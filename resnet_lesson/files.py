"""Files that are complete or unchanged, whatever stops the writing, and JSON for line diffs."""

import contextlib
import errno
import io
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_STANDARD_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
# A partial file: the process's number, a random one (not in the first edition), the file's name.
_PARTIAL = re.compile(r"([1-9][0-9]{0,9})\.(?:[0-9a-f]{16}\.)?part\.(.+)", re.DOTALL)
_in_progress: set[str] = set()  # the names of this process's own partial files


def expand_path(path: AnyPath) -> Path:
    """The ``Path`` of a str, bytes or path object, with ``~`` as the user's home."""
    return Path(os.path.expanduser(os.fsdecode(path)))


def user_path(name: str, given: Any) -> Path:
    """The absolute ``Path`` of an argument, which holds wherever the process goes meanwhile.

    Raises:
        ValueError: it is empty.
    """
    if not given:
        raise ValueError(f"{name} must be a path, received {given!r}")
    return expand_path(given).absolute()


@contextlib.contextmanager
def atomic_write(path: AnyPath) -> Iterator[Path]:
    """The path of a partial file, which replaces ``path`` at the end and is removed on an error.

    Its name ends as that of ``path`` does, for writers that go by the ending. If ``path`` is a
    link, the link stays and its target is replaced; a pipe or device is written to at the end. A
    file that is replaced hands on its mode and, where that is allowed, its owner.

    Raises:
        ValueError: ``path`` does not end with a name.
        OSError: of the kind that the system raised, and names ``path``.
    """
    path = os.path.expanduser(os.fsdecode(path))
    if not os.path.basename(path):
        raise ValueError(f"path must end with the name of a file, received {path!r}")
    status = _writable_status(path)
    folder, name = os.path.split(os.path.realpath(path) if os.path.islink(path) else path)
    # The standard output may be a pipe, a terminal or a file: all are written to as prints are.
    is_file = status is None or (path not in _STANDARD_STREAMS and stat.S_ISREG(status.st_mode))
    partial_name = f"{os.getpid()}.{secrets.token_hex(8)}.part.{_shortened(name)}"
    partial = os.path.join(folder if is_file else tempfile.gettempdir(), partial_name)
    _in_progress.add(partial_name)
    try:
        with naming_errors(path, partial):
            _create(partial, status)
            yield Path(partial)
            if is_file:
                _complete(partial, status)
                _replace(partial, os.path.join(folder, name))
            else:
                _copy_to_stream(partial, path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        _in_progress.discard(partial_name)


@contextlib.contextmanager
def naming_errors(path: str | os.PathLike[str], partial: str | None = None) -> Iterator[None]:
    """Errors in writing name ``path``, not its partial file, and say what to do if a disk is full.

    An error that names no file counts as one in writing; errors of other files stay as they are.
    """
    try:
        yield
    except OSError as error:
        number, file = error.errno or _number_in_text(error), error.filename
        if number is None or (file is not None and str(file) not in (str(path), partial)):
            raise
        remedy = " (make room there or choose another place)" if number in _NO_ROOM else ""
        raise OSError(number, os.strerror(number) + remedy, str(path)) from error


def sync_to_disk(file: Any) -> None:
    """Put an open file on the disk, as far as its file system can do that."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno in _NO_ROOM | {errno.EIO}:
            raise


class _WeightsInMemory(io.BytesIO):
    """A file in memory with the ending that Keras asks for."""

    def __str__(self) -> str:
        return "memory.weights.h5"


def weights_content(model: Any) -> memoryview:
    """The bytes of a ``.weights.h5`` file with a Keras model's weights.

    They are made in memory: where a disk fills while HDF5 writes to it, the process dies of a
    segmentation fault, and in a notebook the kernel with all it holds.
    """
    memory = _WeightsInMemory()
    model.save_weights(memory)
    return memory.getbuffer()


@contextlib.contextmanager
def exclusive_lock(lock: str | os.PathLike[str], work: str) -> Iterator[Callable[[], None]]:
    """Hold a lock, a file that exists meanwhile: one holder at a time, of all processes.

    The system takes the lock from a process that dies. Where the file system has no locks, the work
    goes on without one. The context gives a function that raises an OSError where the lock's folder
    was moved away meanwhile, perhaps with another in its place.

    Args:
        lock: the path of the lock's file.
        work: what is done under the lock, and where, for the error.

    Raises:
        ValueError: another holds it.
    """
    import filelock

    held = filelock.FileLock(lock, timeout=0)
    try:
        held.acquire()
    except filelock.Timeout:
        raise ValueError(
            f"there must be one {work} at a time, received a second: wait until the first ends, or "
            "choose another place"
        ) from None
    except PermissionError:
        raise  # the file belongs to another user
    except (OSError, NotImplementedError):
        pass  # if the disk is full, the first file to be written says so
    identity = _identity(lock)

    def check() -> None:
        if _identity(lock) != identity:
            raise OSError(errno.ESTALE, "moved away or replaced meanwhile", os.path.dirname(lock))

    try:
        yield check
    finally:
        # Before the release: a process that has opened the file by then notices, and gets no lock.
        with contextlib.suppress(OSError):  # Windows removes no open file, filelock does it there
            check()
            os.unlink(lock)
        held.release()


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """What distinguishes a file from another of its name, None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def remove_partial_files(folder: str | os.PathLike[str], names: Iterable[str]) -> None:
    """Remove the partial files of these names that dead processes have left in ``folder``."""
    endings = {_shortened(name) for name in names}
    for path in Path(folder).iterdir():
        match = _PARTIAL.fullmatch(path.name)
        if match and match[2] in endings and path.name not in _in_progress:
            with contextlib.suppress(OSError):
                if stat.S_ISREG(path.lstat().st_mode) and not _is_other_process(int(match[1])):
                    path.unlink()


def json_table(table: Mapping[str, Any], name: str) -> str:
    """JSON of a dict, whose list ``table[name]`` comes last, with one item a line.

    Raises:
        ValueError: a number that JSON does not have, such as NaN.
    """
    head = {key: value for key, value in table.items() if key != name}
    lines = ",\n".join(json.dumps(row, allow_nan=False) for row in table[name])
    text = json.dumps(head, indent=1, allow_nan=False).removesuffix("\n}")
    return f'{text},\n "{name}": [\n{lines}\n]}}\n'


def round_figures(value: Any) -> Any:
    """A float with six significant digits, as more would be noise in a diff; others unchanged."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _writable_status(path: str) -> os.stat_result | None:
    """``os.stat`` of a file, None if there is none.

    A folder is refused, and what may not be written to: in a folder of one's own, the system would
    replace even that.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return status


def _shortened(name: str) -> str:
    """The end of a name, short enough for a partial file where names have at most 255 bytes."""
    while len(os.fsencode(name)) > 220:
        name = name[1:]
    return name


def _create(partial: str, status: os.stat_result | None) -> None:
    """A new empty file, which no more users may read than the one it is to replace."""
    mode = 0o666 if status is None else stat.S_IMODE(status.st_mode) | stat.S_IRUSR | stat.S_IWUSR
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode & 0o777))


def _complete(partial: str, status: os.stat_result | None) -> None:
    """Put the file on the disk, with the owner and mode of the one that it is to replace."""
    with open(partial, "r+b") as written:
        sync_to_disk(written)  # a power cut after the replacement must not leave it empty
    if status is not None:
        for owner in (-1, status.st_uid):  # the group alone, at least
            with contextlib.suppress(OSError, AttributeError):  # Windows has no chown
                os.chown(partial, owner, status.st_gid)
        with contextlib.suppress(OSError):
            os.chmod(partial, stat.S_IMODE(status.st_mode))


def _replace(partial: str, path: str) -> None:
    for wait in (0.01, 0.1, 1):
        try:
            return os.replace(partial, path)
        except PermissionError as error:
            # Windows refuses it while another process has the file open, if only to replace it.
            if getattr(error, "winerror", None) is None:
                raise
        time.sleep(wait)
    os.replace(partial, path)


def _copy_to_stream(partial: str, path: str) -> None:
    """Write to a pipe or device, and never to a file that has taken its place."""

    def opener(path: str, flags: int) -> int:
        if path in _STANDARD_STREAMS:
            return os.dup(_STANDARD_STREAMS[path])
        return os.open(path, flags & ~os.O_CREAT & ~os.O_TRUNC)

    with open(partial, "rb") as source, open(path, "wb", opener=opener) as target:
        shutil.copyfileobj(source, target)


def _number_in_text(error: OSError) -> int | None:
    """The system's number of an error that has it in its text only, as some of h5py's do."""
    match = re.search(r"errno = (\d+)", str(error))
    return int(match[1]) if match else None


def _is_other_process(number: int) -> bool:
    """Whether another process of this number is running."""
    if os.name == "nt":
        return False  # ``kill`` would end it there; and a file that is open cannot be removed
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return number != os.getpid()  # of this number, an earlier process in another container
