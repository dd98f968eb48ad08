"""Files that are whole or untouched, whatever stops the writing, and JSON that a diff can show."""

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
from pathlib import Path

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}
# What a process has half written: its number, a random one (not in the first edition), the name.
_PART = re.compile(r"([1-9][0-9]{0,9})\.(?:[0-9a-f]{16}\.)?part\.(.+)", re.DOTALL)
_writing = set()  # the names of those that this process has not ended


def expand_path(path):
    """The ``Path`` of a str, bytes or path object, with ``~`` as the user's home."""
    return Path(os.path.expanduser(os.fsdecode(path)))


@contextlib.contextmanager
def atomic_write(path):
    """A path to write to: its file takes the place of ``path`` at the end, an error removes it.

    Its name ends as that of ``path`` does, for writers that go by the ending. A link stays, and
    what it leads to is replaced; a pipe or device is written to at the end. A file that is replaced
    hands on its mode and, where that is allowed, its owner.

    Raises:
        ValueError: ``path`` does not end with a name.
        OSError: of the kind that the system raised, and names ``path``.
    """
    path = os.path.expanduser(os.fsdecode(path))
    if not os.path.basename(path):
        raise ValueError(f"path must end with the name of a file, received {path!r}")
    found = _status(path)
    folder, name = os.path.split(os.path.realpath(path) if os.path.islink(path) else path)
    # The standard output goes to a pipe, a terminal or a file: to all of them as prints do.
    through = found is not None and (path in _STANDARD or not stat.S_ISREG(found.st_mode))
    part = os.path.join(tempfile.gettempdir() if through else folder, _part_name(name))
    _writing.add(os.path.basename(part))
    try:
        with naming_errors(path, part):
            _make(part, found)
            yield Path(part)
            if through:
                _copy(part, path)
            else:
                _keep(part, found)
                _replace(part, os.path.join(folder, name))
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)
        _writing.discard(os.path.basename(part))


@contextlib.contextmanager
def naming_errors(path, part=None):
    """Errors in writing to ``part`` name ``path``, and what to do where there is no room.

    An error that names no file is taken for one in writing; of other files they stay as they are.
    """
    try:
        yield
    except OSError as error:
        number, about = error.errno or _told_number(error), error.filename
        if number is None or (about is not None and str(about) not in (str(path), part)):
            raise
        remedy = " (make room there or choose another place)" if number in _NO_ROOM else ""
        raise OSError(number, os.strerror(number) + remedy, str(path)) from error


def sync_to_disk(file):
    """Put an open file on the disk, as far as its file system can do that."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno in _NO_ROOM | {errno.EIO}:
            raise


class _Memory(io.BytesIO):
    """A file in memory with the ending that Keras asks for."""

    def __str__(self):
        return "memory.weights.h5"


def save_weights(model, path):
    """Write a Keras model's weights, ``.weights.h5``, as a whole file.

    By way of memory: where a disk fills while HDF5 writes to it, the process dies of a segmentation
    fault, and in a notebook the kernel with all it holds.
    """
    memory = _Memory()
    model.save_weights(memory)
    with atomic_write(path) as part:
        part.write_bytes(memory.getbuffer())


@contextlib.contextmanager
def exclusive_lock(lock, work):
    """Hold a lock, a file that is there meanwhile: one holder at a time, of all processes.

    The system takes the lock from a process that dies. Where the file system knows no locks, this
    one is held by nobody. It gives a function that raises an OSError where the lock's folder was
    moved away meanwhile, perhaps with another in its place.

    Args:
        lock: the path of the lock's file.
        work: what is at work under it, and where, for the error.

    Raises:
        ValueError: somebody else holds it.
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
        raise  # the lock is somebody else's
    except (OSError, NotImplementedError):
        pass  # where there is no room, the first file to be written says so
    mark = _mark(lock)

    def check():
        if _mark(lock) != mark:
            raise OSError(errno.ESTALE, "moved away or replaced meanwhile", os.path.dirname(lock))

    try:
        yield check
    finally:
        # Before the lock goes: who has opened its file by then finds that out, and gets no lock.
        with contextlib.suppress(OSError):  # Windows removes none that is open, filelock does
            check()
            os.unlink(lock)
        held.release()


def _mark(path):
    """What tells a file from another of its name, None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove_partial_files(folder, names):
    """Remove what dead processes have half written of the files of these names in ``folder``."""
    ends = {_ending(name) for name in names}
    for path in Path(folder).iterdir():
        found = _PART.fullmatch(path.name)
        if found and found[2] in ends and path.name not in _writing:
            with contextlib.suppress(OSError):
                if stat.S_ISREG(path.lstat().st_mode) and not _lives(int(found[1])):
                    path.unlink()


def json_table(head, name, rows):
    """JSON of the dict ``head`` and, as its last entry ``name``, a list with one item a line.

    Raises:
        ValueError: a number that JSON does not have, such as NaN.
    """
    lines = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
    text = json.dumps(head, indent=1, allow_nan=False).removesuffix("\n}")
    return f'{text},\n "{name}": [\n{lines}\n]}}\n'


def round_figures(value):
    """A float with six digits that matter, as more would be noise in a diff; others as they are."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _status(path):
    """What ``os.stat`` says of a file, None if there is none.

    A folder is refused, and what may not be written to: in a folder of one's own, the system would
    replace even that.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return found


def _part_name(name):
    return f"{os.getpid()}.{secrets.token_hex(8)}.part.{_ending(name)}"


def _ending(name):
    """The end of a name, so long that a file system with names of 255 bytes takes it as a part."""
    while len(os.fsencode(name)) > 220:
        name = name[1:]
    return name


def _make(part, found):
    """An empty file that nobody else has, and that no more may read than will in the end."""
    mode = 0o666 if found is None else stat.S_IMODE(found.st_mode) | stat.S_IRUSR | stat.S_IWUSR
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode & 0o777))


def _keep(part, found):
    """Put the part on the disk, with the owner and mode of the file that was found."""
    with open(part, "r+b") as written:
        sync_to_disk(written)  # a power cut after the replacement must not find it empty
    if found is not None:
        for owner in (-1, found.st_uid):  # the group alone, at least
            with contextlib.suppress(OSError, AttributeError):  # Windows has no chown
                os.chown(part, owner, found.st_gid)
        with contextlib.suppress(OSError):
            os.chmod(part, stat.S_IMODE(found.st_mode))


def _replace(part, path):
    for wait in (0.01, 0.1, 1, None):
        try:
            return os.replace(part, path)
        except PermissionError as error:
            # Windows refuses it while another process has the file open, if only to replace it.
            if wait is None or getattr(error, "winerror", None) is None:
                raise
        time.sleep(wait)


def _copy(part, path):
    """Write the part to a pipe or device, and never to a file that took its place."""

    def opened(path, flags):
        if path in _STANDARD:
            return os.dup(_STANDARD[path])
        return os.open(path, flags & ~os.O_CREAT & ~os.O_TRUNC)

    with open(part, "rb") as read, open(path, "wb", opener=opened) as write:
        shutil.copyfileobj(read, write)


def _told_number(error):
    """The system's number of an error that has it in its text only, as some of h5py's do."""
    found = re.search(r"errno = (\d+)", str(error))
    return found and int(found[1])


def _lives(process):
    if os.name == "nt":
        return False  # to ask is to stop it there; and a file that is open cannot be removed
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return process != os.getpid()  # its own are known; another's of the same number is dead
