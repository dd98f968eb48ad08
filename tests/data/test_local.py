"""Local copies of a data set: hidden files, hostile archives, and CIFAR-10's own batches."""

import gzip
import io
import itertools
import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnet_lesson import load
from resnet_lesson.backend.pictures import decoded
from resnet_lesson.data import local, pickled
from resnet_lesson.data.cifar_archive import BATCHES
from resnet_lesson.runtime import keras

SHAPE, CLASSES = (4, 4, 3), ("a", "b")
BATCH_NAMES = (*BATCHES["train"], *BATCHES["test"])


def small():
    draw = np.random.default_rng(0)
    images = {
        f"x_{part}": draw.integers(0, 256, (4, *SHAPE), np.uint8) for part in ("train", "test")
    }
    return images | {f"y_{part}": np.arange(4) % 2 for part in ("train", "test")}


def same(found, arrays):
    names = ("x_train", "y_train", "x_test", "y_test")
    return all(np.array_equal(one, arrays[name]) for one, name in zip(found, names, strict=True))


# ------------------------------------------------------------------ folders of pictures


MODES = [
    *itertools.product(["png", "bmp"], ["RGB", "P", "L", "1"]),
    *itertools.product(["png"], ["RGBA", "LA", "I;16"]),
    *itertools.product(["jpeg"], ["RGB", "L"]),
]


@pytest.mark.parametrize(("kind", "mode"), MODES)
def test_a_picture_has_the_colours_it_is_saved_with(tmp_path, kind, mode):
    """What is transparent has a colour as well; of 16 bits the upper 8 count."""
    colours = np.full((32, 32, 3), (200, 10, 30), np.uint8)
    colours[:16] = 90, 90, 250
    picture = Image.fromarray(colours).convert(mode if mode != "I;16" else "L")
    right = np.asarray(picture.convert("RGB"))
    if mode in ("RGBA", "LA"):
        picture.putalpha(100)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 256 + 77)
    assert picture.mode == mode
    path = tmp_path / f"a.{kind}"
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if kind == "jpeg" else {}
    picture.save(path, **options)
    # A JPEG's pixels differ by a few levels between decoders.
    few = 12 if kind == "jpeg" else 0
    for found in (local._picture(path, (32, 32)), decoded(path.read_bytes())):
        assert found.dtype == np.uint8
        assert found.shape == right.shape
        assert np.abs(found.astype(int) - right).max() <= few
    (tmp_path / f"b.{kind}").write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"must be a whole picture.* received a damaged"):
        local._picture(tmp_path / f"b.{kind}", (32, 32))


@pytest.mark.filterwarnings("error")
def test_a_picture_of_another_size_or_kind_is_refused_by_name(tmp_path):
    paths = {name: tmp_path / f"{name}.png" for name in ("one pixel", "flat", "gif", "huge")}
    Image.new("RGB", (1, 1)).save(paths["one pixel"])
    Image.new("RGB", (32, 8)).save(paths["flat"])
    Image.new("L", (32, 32)).save(paths["gif"], "GIF")
    head = b"IHDR" + struct.pack(">2I5B", 10_000, 9_900, 8, 2, 0, 0, 0)  # 297 MB
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head
    content += struct.pack(">I", zlib.crc32(head)) + struct.pack(">I", 1000) + b"IDAT"
    paths["huge"].write_bytes(content)
    for name, words in {
        "one pixel": r"must have 32 x 32 pixels, received 1 x 1",
        "flat": r"must have 32 x 32 pixels, received 8 x 32",
        "huge": r"must have 32 x 32 pixels, received 9900 x 10000",
        "gif": r"must be a whole picture, PNG, JPEG or BMP",
    }.items():
        with pytest.raises(ValueError, match=f"{name}.png {words}"):
            local._picture(paths[name], (32, 32))


def test_what_is_no_file_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")  # to read it would wait for ever
    with pytest.raises(ValueError, match=r"pipe\.png must be .*it is no file of bytes"):
        local._picture(tmp_path / "pipe.png", (32, 32))
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to("loop.png")
    for name in ("folder.png", "loop.png", "none.png"):
        with pytest.raises(OSError, match=name):
            local._picture(tmp_path / name, (32, 32))


def test_a_folder_is_told_with_the_marks_that_cannot_be_seen(tmp_path):
    for name in ("a", "b\u202e"):
        (tmp_path / "train" / name).mkdir(parents=True)
    (tmp_path / "train" / "again").symlink_to(tmp_path)
    with pytest.raises(
        ValueError, match=r"one folder for each of a, b, received 'a', 'again', "
    ) as told:
        local.read(tmp_path, SHAPE, CLASSES)
    assert r"'b\u202e'" in str(told.value)
    assert "\u202e" not in str(told.value)


def test_what_others_hide_in_folders_of_pictures_is_passed_over(tmp_path):
    folders = [tmp_path / part / name for part in ("train", "test") for name in CLASSES]
    for folder in folders:
        folder.mkdir(parents=True)
        keras.utils.save_img(folder / "1.png", np.zeros(SHAPE))
    assert len(local.read(tmp_path, SHAPE, CLASSES)[1]) == 2
    for folder in [tmp_path, tmp_path / "train", *folders]:
        (folder / ".ipynb_checkpoints").mkdir()
        shutil.copy(folders[0] / "1.png", folder / ".ipynb_checkpoints" / "1-checkpoint.png")
        (folder / "._1.png").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X")
        for name in (".DS_Store", "Thumbs.db", ".hidden.png"):
            (folder / name).write_bytes(b"no picture")
    images, labels, *_ = local.read(tmp_path, SHAPE, CLASSES)
    assert (images.shape, labels.tolist()) == ((2, *SHAPE), [0, 1])


# ------------------------------------------------------------------ .npz


def npz(arrays, compression=zipfile.ZIP_STORED):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", compression, compresslevel=1) as archive:
        for name, content in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                if isinstance(content, np.ndarray):
                    np.save(file, content)
                else:
                    for block in content:
                        file.write(block)
    return whole.getvalue()


def claiming(shape, blocks=(bytes(100),), dtype="|u1", version=1):
    """The bytes of an array that says it has this shape."""
    words = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = len(words).to_bytes(2 if version == 1 else 4, "little")
    return [np.lib.format.magic(version, 0) + length + words, *blocks]


def zeros(count):
    return (bytes(2**20) for _ in range(count >> 20))


def single():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


HOSTILE = {
    "one array": single,
    "huge": lambda: npz(small() | {"x_train": claiming((10**11,))}),
    "huge of the right kind": lambda: npz(small() | {"x_train": claiming((2 * 10**9, *SHAPE))}),
    "beyond any machine": lambda: npz(small() | {"x_train": claiming((10**30,))}),
    "negative": lambda: npz(small() | {"x_train": claiming((-4, *SHAPE))}),
    "of nothing": lambda: npz(small() | {"y_train": claiming((10**12, 0))}),
    "zeros of another shape": lambda: npz(
        small() | {"x_train": claiming((2**28,), zeros(2**28))}, zipfile.ZIP_DEFLATED
    ),
    "zeros of the right kind": lambda: npz(
        small() | {"x_train": claiming((2**22, *SHAPE), zeros(2**22 * 48))}, zipfile.ZIP_DEFLATED
    ),
    "labels without end": lambda: npz(
        small() | {"y_train": claiming((2**28,), zeros(2**28))}, zipfile.ZIP_DEFLATED
    ),
    "a head without end": lambda: npz(
        small() | {"x_train": [b"\x93NUMPY\2\0" + (2**28).to_bytes(4, "little"), *zeros(2**28)]},
        zipfile.ZIP_DEFLATED,
    ),
    "nested": lambda: npz(small() | {"x_train": claiming("(" * 3000 + ")" * 3000)}),
    "objects": lambda: npz(small() | {"x_train": claiming((4, *SHAPE), dtype="|O")}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_npz_is_refused_soon_in_one_line_and_in_little_memory(tmp_path, name):
    """In a process of its own, whose memory ends 200 MB above what it has then."""
    code = """
import resource, sys
from resnet_lesson.data import local
pages = int(open("/proc/self/statm", encoding="ascii").read().split()[0])
room = pages * resource.getpagesize() + 200_000_000
resource.setrlimit(resource.RLIMIT_AS, (room, room))
try:
    local.read(sys.argv[1], (4, 4, 3), ("a", "b"))
except ValueError as error:
    print(error)
"""
    path = tmp_path / "hostile.npz"
    path.write_bytes(HOSTILE[name]())
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=20
    )
    assert done.stderr == ""
    assert str(path) in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_part_has_at_most_so_many_images(tmp_path, monkeypatch):
    (tmp_path / "c.npz").write_bytes(npz(small()))
    assert same(local.read(tmp_path / "c.npz", SHAPE, CLASSES), small())
    monkeypatch.setattr(local, "MOST", 3)
    with pytest.raises(ValueError, match=r"train: there must be at most 3 images, received 4"):
        local.read(tmp_path / "c.npz", SHAPE, CLASSES)


# ------------------------------------------------------------------ CIFAR-10's own archive


def python_2(batch):
    """The pickle of a batch as Python 2 wrote the official ones, protocol 2, opcode by opcode."""

    def text(value):
        return b"U" + bytes([len(value)]) + value  # SHORT_BINSTRING

    rows, labels = batch
    content = rows.tobytes()
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x06cnumpy\nndarray\nq\x07K\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|")
    dtype += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"M" + struct.pack("<H", len(rows)) + b"M" + struct.pack("<H", rows.shape[1]) + b"\x86"
    state = b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", len(content)) + content + b"tb"
    names = b"".join(text(b"cat_%d.png" % index) for index in range(len(labels)))
    return (
        b"\x80\x02}q\x01(" + text(b"batch_label") + text(b"training batch 1 of 5")
        + text(b"labels") + b"]q\x02(" + b"".join(b"K" + bytes([k]) for k in labels) + b"e"
        + text(b"data") + array + state
        + text(b"filenames") + b"]q\x03(" + names + b"e" + b"u."
    )  # fmt: skip


def python_3(protocol):
    def written(batch):
        rows, labels = batch
        return pickle.dumps({b"data": rows, b"labels": labels.tolist()}, protocol)

    return written


WRITERS = {"python 2": python_2} | {f"protocol {n}": python_3(n) for n in range(6)}


@pytest.fixture(scope="module")
def batches():
    """A few images of each class in a batch: rows of pixels, and labels."""
    draw = np.random.default_rng(0)
    return {
        name: (draw.integers(0, 256, (20, 3072), np.uint8), draw.permutation(np.arange(20) % 10))
        for name in BATCH_NAMES
    }


def folder_of(tmp_path, batches, writer=python_2):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name, batch in batches.items():
        (folder / name).write_bytes(writer(batch))
    (folder / "batches.meta").write_bytes(b"what nobody reads")
    (folder / "readme.html").write_bytes(b"what nobody reads")
    return folder


def archive_of(folder):
    path = folder.parent / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    return path


@pytest.mark.parametrize("writer", WRITERS)
def test_cifar10s_own_archive_and_its_folder(tmp_path, batches, writer):
    folder = folder_of(tmp_path, batches, WRITERS[writer])
    archive = archive_of(folder)
    before = sorted(tmp_path.rglob("*"))
    for path in (folder, archive):
        data = load("cifar10", path)
        for images, labels, names in [
            (data.x_train, data.y_train, BATCHES["train"]),
            (data.x_test, data.y_test, BATCHES["test"]),
        ]:
            rows = np.concatenate([batches[name][0] for name in names])
            assert labels.tolist() == np.concatenate([batches[name][1] for name in names]).tolist()
            assert images.shape == (len(rows), 32, 32, 3)
            for image, y, x, colour in [(0, 0, 0, 0), (7, 3, 30, 1), (19, 31, 0, 2)]:
                value = rows[image, 1024 * colour + 32 * y + x] / 255
                assert images[image, y, x, colour] == pytest.approx(value, rel=1e-6)
    assert sorted(tmp_path.rglob("*")) == before, "nothing is unpacked beside it"


def test_python_itself_reads_the_same_in_them(batches):
    batch = batches["test_batch"]
    told = pickle.loads(python_2(batch), encoding="bytes")
    np.testing.assert_array_equal(told[b"data"], batch[0])
    assert told[b"labels"] == batch[1].tolist()
    assert told[b"filenames"][3] == b"cat_3.png"
    np.testing.assert_array_equal(pickled.read(python_2(batch))["data"], batch[0])


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i4", "i8"])
def test_an_array_in_a_pickle_is_read_as_it_is(protocol, dtype):
    values = np.arange(24).astype(dtype).reshape(2, 3, 4)
    for array in (values, np.asfortranarray(values), values[:, ::-1, ::2]):
        found = pickled.read(pickle.dumps({"x": array, "y": [1, {"z": (2, b"3")}]}, protocol))
        np.testing.assert_array_equal(found["x"], array)
        assert found["x"].dtype == array.dtype
        assert found["y"] == [1, {"z": (2, b"3")}]


class Runs:
    """Writes a file when it is unpickled."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (os.system, ("touch ran",)),
        (eval, ("open('ran', 'w')",)),
        (Path.touch, (Path("ran"),)),
        (getattr, (print, "__self__")),
        (np.load, ("ran",)),
    ],
)
def test_nothing_in_a_pickle_is_run(tmp_path, batches, monkeypatch, call, arguments):
    monkeypatch.chdir(tmp_path)
    folder = folder_of(tmp_path, batches)
    for batch in (
        Runs(call, *arguments),
        {"data": Runs(call, *arguments)},
        [Runs(call, *arguments)],
    ):
        (folder / "data_batch_2").write_bytes(pickle.dumps(batch))
        for path in (folder, archive_of(folder)):
            with pytest.raises(
                ValueError, match=r"data_batch_2 must be a batch .*asks for"
            ) as told:
                load("cifar10", path)
            assert "\n" not in str(told.value)
    assert not Path("ran").exists()


def test_what_a_pickle_changes_stays_in_it():
    """BUILD sets attributes of what it is given: here it would spoil the next one."""
    spoil = b"\x80\x02}U\x01acnumpy\ndtype\nN}U\x0c__setstate__K\x01s\x86bs."
    with pytest.raises(ValueError, match="plain arrays"):
        pickled.read(spoil)
    found = pickled.read(pickle.dumps({"a": np.arange(3)}))
    assert found["a"].tolist() == [0, 1, 2]


BOMBS = {
    "lists": b"\x80\x02" + b"]" * 30_000_000 + b".",
    "memo": b"\x80\x02}r\xff\xff\xff\x7f.",
    "tuples as a key": b"\x80\x02}(" + b")" + b"\x85" * 1_000_000 + b"K\x01u.",
    "frame": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.",
    "bytes": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "number": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "cut": b"\x80\x02}U\x04da",
    "empty": b"",
    "no mark": b"\x80\x02t.",
    "no name": b"\x80\x04N\x93.",
    "extension": b"\x80\x02\x82\x01.",
    "another's": b"\x80\x02U\x01aQ.",
    "shape": pickle.dumps({"data": np.zeros((2, 4), np.uint8)}, 2).replace(b"K\2K\4", b"K\2K\5"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_pickle_that_grows_or_nests_without_end_is_refused(name):
    """In a process of its own, which a stack or a memory that is full would end."""
    code = """
import resource, sys
from resnet_lesson.data import pickled
content = sys.stdin.buffer.read()
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, resource.RLIM_INFINITY))
try:
    pickled.read(content)
except ValueError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input=BOMBS[name], capture_output=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"must be a pickle of plain arrays, received ")
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ({"data": np.zeros((2, 3072), np.uint8)}, "it has no labels"),
        ({"labels": [1, 2]}, "it has no data"),
        ({"data": np.zeros((2, 3072), np.int8), "labels": [1, 2]}, "data are int8"),
        ({"data": np.zeros((2, 1024), np.uint8), "labels": [1, 2]}, r"shape \(2, 1024\)"),
        ({"data": np.zeros(3072, np.uint8), "labels": [1]}, r"shape \(3072,\)"),
        ({"data": [[1]], "labels": [1]}, "data are no array"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, r"labels are .* \(1,\)"),
        (
            {"data": np.zeros((2, 3072), np.uint8), "labels": ["a", "b"]},
            "labels are no list",
        ),
        (
            {"data": np.zeros((2, 3072), np.uint8), "labels": [[1], 2]},
            "labels are no list",
        ),
        ({"data": np.zeros((2, 3072), np.uint8), "fine_labels": [1, 2]}, "it has no labels"),
    ],
)
def test_a_batch_of_something_else_is_named(tmp_path, batches, batch, words):
    folder = folder_of(tmp_path, batches)
    (folder / "test_batch").write_bytes(pickle.dumps(batch))
    for path in (folder, archive_of(folder)):
        with pytest.raises(ValueError, match=rf"{path.name}, test_batch must be .*{words}"):
            load("cifar10", path)


def test_an_archive_without_a_batch_is_named(tmp_path, batches):
    folder = folder_of(tmp_path, batches)
    (folder / "data_batch_3").unlink()
    for path in (folder, archive_of(folder)):
        with pytest.raises(ValueError, match=rf"{path.name} must hold .* none named data_batch_3"):
            load("cifar10", path)
    (folder / "data_batch_3").mkdir()  # or what is no file
    for path in (folder, archive_of(folder)):
        with pytest.raises(ValueError, match=rf"{path.name} must hold .* none named data_batch_3"):
            load("cifar10", path)


def link(kind, name, target):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_in_an_archive_lead_nowhere(tmp_path, batches, kind):
    (tmp_path / "secret").write_bytes(python_2(batches["test_batch"]))
    folder = folder_of(tmp_path, batches)
    (folder / "test_batch").unlink()
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
        archive.addfile(link(kind, "cifar-10-batches-py/test_batch", str(tmp_path / "secret")))
    with pytest.raises(ValueError, match="none named test_batch"):
        load("cifar10", path)


def long_name(size):
    """The head of a member whose name is so long."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, size
    return member


def huge(name, size):
    member = tarfile.TarInfo(name)
    member.size = size
    return member


@pytest.mark.slow
@pytest.mark.parametrize(
    "member", [huge("data_batch_1", 2**33), huge("other", 2**33), long_name(2**33)]
)
def test_an_archive_that_unpacks_to_too_much_is_refused_soon(tmp_path, member):
    path = tmp_path / "cifar-10-python.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(member.tobuf())
        for _ in range(400):
            file.write(bytes(2**20))
    code = """
import resource, sys
from resnet_lesson.data import local
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, resource.RLIM_INFINITY))
try:
    local.read(sys.argv[1], (32, 32, 3), list("0123456789"))
except ValueError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert "must be the archive of CIFAR-10, received" in done.stdout
    assert str(path) in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_batch_in_a_folder_that_is_too_large_is_not_read(tmp_path, batches):
    folder = folder_of(tmp_path, batches)
    with (folder / "test_batch").open("r+b") as file:
        file.truncate(2**40)  # a hole
    with pytest.raises(ValueError, match=r"test_batch must be a batch .*1,099,511,627,776 bytes"):
        load("cifar10", folder)


def test_a_pickle_that_would_become_large_is_refused_soon(tmp_path, batches, monkeypatch):
    """A text that is encoded again and again, and a list that holds one list many times."""
    folder = folder_of(tmp_path, batches)
    monkeypatch.setattr(pickled, "ENCODED", 10_000)
    encode = b"c_codecs\nencode\nq\x00X" + struct.pack("<I", 3_000) + b"a" * 3_000 + b"q\x01"
    encode += b"X\x06\x00\x00\x00latin1\x86q\x02R0(" + b"h\x00h\x02R" * 5 + b"l."
    (folder / "test_batch").write_bytes(b"\x80\x02" + encode)
    with pytest.raises(ValueError, match=r"test_batch must be .* small and would become large"):
        load("cifar10", folder)
    row = [1] * 3072
    nested = pickle.dumps({b"data": [[row] * 1000] * 300, b"labels": [0] * 1000}, 2)
    (folder / "test_batch").write_bytes(nested)
    with pytest.raises(ValueError, match=r"test_batch must be .*its data are no array"):
        load("cifar10", folder)


def test_an_archive_with_a_batch_twice_is_refused(tmp_path, batches):
    folder = folder_of(tmp_path, batches)
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
        archive.add(folder / "test_batch", "again/test_batch")
    with pytest.raises(ValueError, match=r"\.tar\.gz must be .* two files test_batch"):
        load("cifar10", path)


@pytest.mark.parametrize("name", ["data.npz", "data.tar.gz"])
def test_a_pipe_is_no_data_set(tmp_path, name):
    os.mkfifo(tmp_path / name)  # to read it would wait for ever
    with pytest.raises(ValueError, match=rf"{name} must be .*it is no file of bytes"):
        load("cifar10", tmp_path / name)


# ------------------------------------------------------------------ any damage


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["npz", "archive"])
def test_a_file_with_damage_is_named_or_holds_the_same(tmp_path, batches, kind):
    """Bits that flip and files that are cut short, at many places: never another error or data."""
    shape: tuple[int, int, int] = SHAPE
    classes: tuple[str, ...] = CLASSES
    if kind == "npz":
        path = tmp_path / "c.npz"
        path.write_bytes(npz(small(), zipfile.ZIP_DEFLATED))
    else:
        path = archive_of(folder_of(tmp_path, batches))
        shape, classes = (32, 32, 3), tuple(map(str, range(10)))
    right = local.read(path, shape, classes)
    whole, draw, told = path.read_bytes(), random.Random(0), []
    for turn in range(400):
        damaged = bytearray(whole)
        if turn % 4:
            place = draw.randrange(8 * len(whole))
            damaged[place // 8] ^= 1 << place % 8
        else:
            del damaged[draw.randrange(len(whole)) :]
        path.write_bytes(damaged)
        try:
            found = local.read(path, shape, classes)
            assert all(map(np.array_equal, found, right))
        except ValueError as error:
            told.append(str(error))
    assert len(told) > 300
    assert all(path.name in words and "\n" not in words for words in told)


# ------------------------------------------------------------------ paths


def test_a_path_may_begin_at_home_and_be_of_any_kind(tmp_path, monkeypatch, batches):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RESNET_LESSON_CIFAR10", raising=False)
    folder = folder_of(tmp_path, batches)
    for path in ("~/cifar-10-batches-py", Path("~/cifar-10-batches-py"), os.fsencode(folder)):
        assert load("cifar10", path).x_test.shape == (20, 32, 32, 3)
    monkeypatch.setenv("RESNET_LESSON_CIFAR10", "~/cifar-10-batches-py")
    assert load("cifar10").x_test.shape == (20, 32, 32, 3)
    with pytest.raises(FileNotFoundError, match=f"no file or folder {tmp_path}/other"):
        load("cifar10", "~/other")
