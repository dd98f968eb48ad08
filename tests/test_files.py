"""A file is the old one or the new one, and nothing else is left; what is no file is written to."""

import errno
import json
import os
import pty
import re
import resource
import stat
import subprocess
import sys
import threading
import tty
from pathlib import Path

import numpy as np
import pytest

from resnet_lesson import files
from resnet_lesson.files import atomic_write, exclusive_lock, expand_path, remove_partial_files

REMEDY = r"\(make room there or choose another place\)"


def save(path, text="new"):
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")


def test_the_new_file_takes_the_place_of_the_old(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with atomic_write(path) as part:
        part.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stop", [RuntimeError("stop"), KeyboardInterrupt("stop")])
def test_an_error_leaves_the_old(tmp_path, stop):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    def write_half():
        with atomic_write(path) as part:
            part.write_text("half", encoding="utf-8")
            raise stop

    with pytest.raises(type(stop), match="stop"):
        write_half()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_part_ends_as_its_file_says_whose_it_is_and_is_made_beforehand(tmp_path):
    with (
        atomic_write(tmp_path / "a.weights.h5") as part,
        atomic_write(tmp_path / "a.weights.h5") as other,
    ):
        assert re.fullmatch(rf"{os.getpid()}\.[0-9a-f]{{16}}\.part\.a\.weights\.h5", part.name)
        assert part.exists()
        assert part != other
        part.write_text("one", encoding="utf-8")
        other.write_text("other", encoding="utf-8")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["one"]


# ------------------------------------------------------------------ what is there already


@pytest.mark.parametrize("target", ["real.csv", "{folder}/real.csv", "sub/../real.csv", "two"])
@pytest.mark.parametrize("old", [True, False])
def test_a_link_stays_and_leads_to_the_new_file(tmp_path, target, old):
    (tmp_path / "sub").mkdir()
    (tmp_path / "two").symlink_to("real.csv")
    if old:
        (tmp_path / "real.csv").write_text("old", encoding="utf-8")
    link = tmp_path / "sub" / "link.csv"
    link.symlink_to(Path("..") / target.format(folder=tmp_path))
    save(link)
    assert link.is_symlink()
    assert (tmp_path / "two").is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8") == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"sub", "two", "real.csv"}
    assert list((tmp_path / "sub").iterdir()) == [link]


def test_links_in_a_ring_are_refused(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to(other)
    other.symlink_to(one)
    with pytest.raises(OSError, match="one") as caught:
        save(one)
    assert caught.value.errno == errno.ELOOP
    assert {path.name for path in tmp_path.iterdir()} == {"one", "other"}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o222, 0o755])
def test_the_mode_of_a_file_is_kept_and_nobody_else_reads_its_part(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    path.chmod(mode)
    with atomic_write(path) as part:
        assert not stat.S_IMODE(part.stat().st_mode) & ~(mode | 0o600)
        part.write_text("new", encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    path.chmod(0o600)
    assert path.read_text(encoding="utf-8") == "new"


def test_a_file_that_may_not_be_written_to_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    monkeypatch.setattr(
        os, "access", lambda path, mode: mode != os.W_OK
    )  # who runs this may be root
    with pytest.raises(PermissionError, match=r"a\.txt"):
        save(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_has_the_usual_mode(tmp_path, mask):
    before = os.umask(mask)
    try:
        save(tmp_path / "a.txt")
        (tmp_path / "b.txt").write_text("by Python", encoding="utf-8")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_the_owner_of_a_file_is_kept_where_that_is_allowed(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    given = []
    monkeypatch.setattr(os, "chown", lambda part, *owner: given.append(owner))
    save(path)
    assert given[-1] == (path.stat().st_uid, path.stat().st_gid)


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EPERM, errno.EINVAL])
def test_a_file_system_that_knows_no_modes_owners_or_fsync_is_written_to(
    tmp_path, monkeypatch, number
):
    def unknown(*_arguments):
        raise OSError(number, os.strerror(number))

    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    for name in ("chmod", "chown", "fsync"):
        monkeypatch.setattr(os, name, unknown)
    save(tmp_path / "a.txt")
    monkeypatch.delattr(os, "chown")  # as on Windows
    save(tmp_path / "b.txt")
    assert [(tmp_path / name).read_text(encoding="utf-8") for name in ("a.txt", "b.txt")] == [
        "new",
        "new",
    ]


def test_a_file_that_is_open_elsewhere_is_waited_for(tmp_path, monkeypatch):
    """As Windows refuses it, and antivirus programs make it do."""
    replace, refused = os.replace, []

    def busy(part, path):
        if len(refused) < 2:
            refused.append(PermissionError(errno.EACCES, "in use", part))
            vars(refused[-1])["winerror"] = 5
            raise refused[-1]
        replace(part, path)

    monkeypatch.setattr(os, "replace", busy)
    save(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"


# ------------------------------------------------------------------ pipes and devices


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    read = []
    reader = threading.Thread(
        target=lambda: read.append((tmp_path / "pipe.csv").read_text(encoding="utf-8"))
    )
    reader.start()
    save(tmp_path / "pipe.csv", "x" * 100_000)
    reader.join(timeout=10)
    assert read == ["x" * 100_000]
    assert stat.S_ISFIFO((tmp_path / "pipe.csv").stat().st_mode)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_device_is_written_to_also_by_a_link(tmp_path):
    there, terminal = pty.openpty()
    tty.setraw(terminal)
    link = tmp_path / "link.csv"
    link.symlink_to(os.ttyname(terminal))
    for path in (os.ttyname(terminal), link):
        save(path)
        assert os.read(there, 100) == b"new"
    assert link.is_symlink()
    assert stat.S_ISCHR(os.stat(link).st_mode)
    os.close(there)
    os.close(terminal)


def test_an_error_writes_nothing_to_a_device(tmp_path):
    there, terminal = pty.openpty()
    tty.setraw(terminal)
    with pytest.raises(TypeError, match="bytes"), atomic_write(os.ttyname(terminal)) as part:
        part.open("w", encoding="utf-8").writelines(["half", b"half"])  # type: ignore[list-item]
    os.write(terminal, b"end")
    assert os.read(there, 100) == b"end"
    os.close(there)
    os.close(terminal)


@pytest.mark.parametrize("to_file", [True, False])
def test_the_standard_output_is_written_to(tmp_path, to_file):
    code = """
from resnet_lesson.files import atomic_write
print("before", flush=True)
with atomic_write("/dev/stdout") as part:
    part.write_text("saved\\n")
print("after")
"""
    target = (tmp_path / "out").open("w", encoding="utf-8") if to_file else subprocess.PIPE
    done = subprocess.run([sys.executable, "-c", code], stdout=target, check=True, timeout=60)
    said = (tmp_path / "out").read_bytes() if to_file else done.stdout
    assert said.split() == [b"before", b"saved", b"after"]


# ------------------------------------------------------------------ errors


def test_no_file_is_refused_before_anything_is_written(tmp_path):
    for path in ("", f"{tmp_path}/new/", "/"):
        with pytest.raises(ValueError, match="path must end with the name of a file, received"):
            save(path)
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        save(tmp_path)
    (tmp_path / "link").symlink_to(".")
    with pytest.raises(IsADirectoryError, match="link"):
        save(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_an_error_names_the_file_that_was_given(tmp_path):
    (tmp_path / "file").write_text("old", encoding="utf-8")
    (tmp_path / "link").symlink_to("no/where.csv")
    for name, kind in [
        ("no/a.csv", FileNotFoundError),
        ("link", FileNotFoundError),
        ("file/a.csv", NotADirectoryError),
        ("a" * 256, OSError),
    ]:
        with pytest.raises(kind) as caught, atomic_write(tmp_path / name):
            pytest.fail("there is no place for it")
        assert caught.value.filename == str(tmp_path / name)
        assert ".part." not in str(caught.value)


def test_so_does_an_error_of_the_writer(tmp_path):
    path = tmp_path / "a.csv"
    for make in [
        lambda part: PermissionError(errno.EACCES, "Permission denied", str(part)),
        lambda part: OSError(errno.EACCES, "Permission denied", part),
        lambda part: OSError(errno.EACCES, "Permission denied"),
        lambda part: OSError(f"h5py: name = '{part}', errno = {errno.EACCES}, error message = ''"),
    ]:
        with pytest.raises(PermissionError) as caught, atomic_write(path) as part:
            raise make(part)
        assert str(caught.value) == f"[Errno 13] Permission denied: '{path}'"


def test_an_error_of_another_file_stays_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "a.csv"):
        Path("elsewhere.csv").read_text(encoding="utf-8")
    assert caught.value.filename == "elsewhere.csv"
    with pytest.raises(OSError, match="no number") as other, atomic_write(tmp_path / "a.csv"):
        raise OSError("no number")
    assert other.value.errno is None


@pytest.fixture
def narrow():
    """No file may grow beyond 2,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "write",
    [
        lambda part: part.write_bytes(bytes(3000)),
        lambda part: np.savez(part, x=np.zeros(1000)),
    ],
    ids=["bytes", "npz"],
)
def test_no_room_is_said_with_the_file_and_the_remedy(tmp_path, narrow, write):
    path = tmp_path / "a.npz"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match=REMEDY) as caught, atomic_write(path) as part:
        write(part)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert "\n" not in str(caught.value)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_weights_that_find_no_room_are_an_error_and_not_the_end_of_the_process(tmp_path):
    code = """
import resource, sys
from resnet_lesson.files import atomic_write, weights_content
from resnet_lesson.runtime import keras
model = keras.Sequential([keras.Input((8,)), *(keras.layers.Dense(8) for _ in range(9))])
def save():
    with atomic_write(sys.argv[1]) as partial:
        partial.write_bytes(weights_content(model))
save()
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
try:
    save()
except OSError as error:
    print(error)
model.load_weights(sys.argv[1])
"""
    path = tmp_path / "a.weights.h5"
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, list(tmp_path.iterdir())) == (0, [path]), done.stderr
    assert re.search(f"{REMEDY}: '{path}'", done.stdout)


def test_no_room_is_said_of_a_device_too():
    with pytest.raises(OSError, match=rf"No space left on device {REMEDY}: '/dev/full'"):
        save("/dev/full")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_what_did_not_reach_the_disk_takes_no_place(tmp_path, monkeypatch, number):
    def full(_file):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match=r"a\.txt") as caught:
        save(tmp_path / "a.txt")
    assert caught.value.errno == number
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"
    assert len(list(tmp_path.iterdir())) == 1


# ------------------------------------------------------------------ names


@pytest.mark.parametrize("letter", ["n", "ö", "層"])
def test_a_long_name_is_no_obstacle(tmp_path, letter):
    name = letter * ((255 - 11) // len(letter.encode())) + ".weights.h5"
    with atomic_write(tmp_path / name) as part:
        assert part.name.endswith(f"{letter}.weights.h5")
        part.write_text("new", encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_any_kind_of_path_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for path in ("~/a", Path("~/b"), b"c", os.fsencode(tmp_path) + b"/\xff", "$ {d}\n"):
        save(path)
    assert set(os.listdir(os.fsencode(tmp_path))) == {b"a", b"b", b"c", b"\xff", b"$ {d}\n"}
    assert expand_path("~/a") == expand_path(b"~/a") == expand_path(Path("~/a")) == tmp_path / "a"


# ------------------------------------------------------------------ several at once


def test_two_on_one_path_never_fail(tmp_path):
    """Threads of two processes; each file that is read meanwhile is a whole one."""
    code = """
import json, sys, threading
from resnet_lesson.files import atomic_write
def write(one):
    for _ in range(100):
        with atomic_write(sys.argv[1]) as part:
            part.write_text(json.dumps([one] * 1000))
threads = [threading.Thread(target=write, args=(one,)) for one in range(3)]
faults = []
threading.excepthook = faults.append
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit(str(faults) if faults else 0)
"""
    path, seen = tmp_path / "a.json", 0
    command = [sys.executable, "-c", code, str(path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    while any(process.poll() is None for process in processes):
        if path.exists():
            assert len(json.loads(path.read_text(encoding="utf-8"))) == 1000
            seen += 1
    assert [process.communicate()[1] for process in processes] == [b"", b""]
    assert seen > 100
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture(scope="module")
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_dead_process_left_is_cleared_and_nothing_else(tmp_path, dead):
    own, random = os.getpid(), "0123456789abcdef"
    long = "n" * 255
    gone = [
        f"{dead}.part.log.csv",  # as the first edition wrote it
        f"{dead}.{random}.part.log.csv",
        f"{dead}.{random}.part.{'n' * 220}",
        f"{own}.{random}.part.log.csv",  # in a container each process may have the same number
    ]
    kept = [
        "thesis.part.2.docx",
        f"{dead}.part.thesis.docx",
        f"{dead}.part.log.csv.txt",
        f"{dead}.{random[:8]}.part.log.csv",
        f"0{dead}.part.log.csv",
        f"{os.getppid()}.part.log.csv",
        f"{os.getppid()}.{random}.part.log.csv",
        "0.part.log.csv",
        "1.part.log.csv",
        "log.csv",
    ]
    for name in [*gone, *kept]:
        (tmp_path / name).write_text("mine", encoding="utf-8")
    (tmp_path / f"{dead}.part.folder").mkdir()
    (tmp_path / f"{dead}.part.link").symlink_to("log.csv")
    kept += [f"{dead}.part.folder", f"{dead}.part.link"]
    remove_partial_files(tmp_path, ["log.csv", "folder", "link", long])
    assert {path.name for path in tmp_path.iterdir()} == set(kept)


def test_a_process_that_was_killed_in_writing_is_cleared_away(tmp_path):
    code = """
import os, signal, sys
from resnet_lesson.files import atomic_write
with atomic_write(sys.argv[1]) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "log.csv")], timeout=60)
    (left,) = tmp_path.iterdir()
    assert left.read_text(encoding="utf-8") == "half"
    with atomic_write(tmp_path / "log.csv") as part:
        part.write_text("new", encoding="utf-8")
        remove_partial_files(tmp_path, ["log.csv"])
        assert list(tmp_path.iterdir()) == [part]
    remove_partial_files(tmp_path, ["log.csv"])
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_a_number_that_no_process_can_have_is_that_of_a_dead_one():
    assert not files._is_other_process(9_999_999_999)
    assert files._is_other_process(1)


HOLD = """
import sys, time
from resnet_lesson.files import exclusive_lock
with exclusive_lock(sys.argv[1], "test"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lock_has_one_holder_and_goes_with_its_process(tmp_path):
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(ValueError, match="one test at a time"), exclusive_lock(path, "test"):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with exclusive_lock(path, "test"):
        assert path.exists()
        refused = []

        def second():
            try:
                with exclusive_lock(path, "test"):
                    pass
            except ValueError as error:
                refused.append(str(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert refused
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.EIO])
def test_where_no_lock_can_be_had_work_goes_on(tmp_path, monkeypatch, number):
    import filelock

    def refuses(self):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(filelock.FileLock, "_acquire", refuses)
    done = []
    with exclusive_lock(tmp_path / "lock", "test"):
        done.append(1)
    assert done
