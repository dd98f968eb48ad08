"""Files of every kind that is read, malformed in every way: refused in one line that names them."""

import copy
import hashlib
import io
import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import size
import subjects
from PIL import Image
from toy_study import study

from resnet_lesson import LesionExplorer, TrainingPanel, load, pretrained, studies
from resnet_lesson.backend.pictures import FORMATS
from resnet_lesson.data import local
from resnet_lesson.keras_settings import configured_backend
from resnet_lesson.studies import engine
from resnet_lesson.training import checkpoint
from resnet_lesson.training import folder as run_folder
from resnet_lesson.widgets.explorer import guesses

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
FIRST = TESTS / "old_files" / "first_edition"
WRONG = (None, True, -1, 1.5, 10**30, 10**400, "", "x", "\ud800", [], [None], {}, {"a": 1})
TEXTS = (
    *(b"", b" ", b"null", b"NaN", b"3", b"[]", b"{}", b'""', b"{" * 10, b"[" * 100_000),
    *(b'{"a":' * 50_000, b"9" * 5_000, b"\xff\xfe{\0}\0", b"<html>", b"\0" * 100, b"\x89PNG\r\n"),
    *(b"PK\x05\x06" + bytes(18), b"\x80\x04.", b"{}\n{}\n", b"[1e999]", b"[-Infinity]"),
)


def places(value, path=()):
    """The paths to all that is in a value, the outer ones first, few of those that repeat."""
    yield path
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))[:2] + list(enumerate(value))[2:][-1:]
    else:
        inner = []
    for key, item in inner:
        yield from places(item, (*path, key))


def changed(whole, path, change):
    """A copy in which ``change`` of the container and the key has happened at ``path``."""
    value = copy.deepcopy({"": whole})
    at = value
    keys = ("", *path)
    for key in keys[:-1]:
        at = at[key]
    change(at, keys[-1])
    return value.get("")


def remove(container, key):
    del container[key]


def malformed(whole, seed=0):
    """JSON texts with one thing wrong each, as bytes, in an order of the seed's."""
    draw = random.Random(seed)
    content = json.dumps(whole).encode()
    found = list(TEXTS)
    paths = list(places(whole))
    draw.shuffle(paths)
    for path in paths[: size.SEQUENCES]:
        if path:
            found.append(json.dumps(changed(whole, path, remove)).encode())
        wrong = WRONG if size.SEQUENCES > 100 else draw.sample(WRONG, 3)
        for value in wrong:

            def put(container, key, value=value):
                container[key] = value

            found.append(json.dumps(changed(whole, path, put)).encode())
        nan = json.dumps(changed(whole, path, lambda at, key: at.__setitem__(key, float("nan"))))
        found.append(nan.encode())
    for _ in range(size.SEQUENCES):
        damaged = bytearray(content)
        place = draw.randrange(8 * len(content))
        damaged[place // 8] ^= 1 << place % 8
        found += [bytes(damaged), content[: draw.randrange(len(content))]]
    return found


def check_each(path, contents, read, beside=None):
    """Each is refused by a line that names the file, or what is read can be used.

    Args:
        beside: the name of another file, which may be the one that does not fit.

    Returns:
        How many were refused.
    """
    refused = 0
    for content in contents:
        path.write_bytes(content)
        try:
            read()
        except ValueError as error:
            refused += 1
            said = str(error)
            assert path.name in said or (beside and beside in said), (content[:200], said)
            assert "\n" not in said, (content[:200], said)
            assert len(said) < 2_000, (content[:200], said)
            said.encode()  # can be shown
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} of {content[:300]!r}") from error
    return refused


def check(path, whole, read, least, beside=None):
    """All malformed texts of a value: at least this share of them must be refused."""
    contents = malformed(whole)
    path.write_bytes(json.dumps(whole).encode())
    read()  # as it is
    assert check_each(path, contents, read, beside) >= least * len(contents)


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_records_of_studies(tmp_path):
    def read():
        studies.record("toy", tmp_path)
        engine._read_entries(study(), path)

    path = tmp_path / "toy.json"
    check(path, read_json(FIRST / "study" / "toy.json"), read, 0.5)


def test_journals_of_studies(tmp_path):
    path = tmp_path / "toy.journal"
    line = (FIRST / "half" / "toy.journal").read_text(encoding="utf-8").splitlines()[0]
    engine._append(path, json.loads(line))
    whole = json.loads(path.read_text(encoding="utf-8"))
    lines = [content.replace(b"\n", b" ") + b"\n" for content in malformed(whole)]
    assert check_each(path, lines, lambda: engine._read_journal(path)) > 0.9 * len(lines)


def test_records_of_runs(tmp_path):
    path = tmp_path / run_folder.RECORD
    whole = read_json(FIRST / "finished_run" / run_folder.RECORD)
    check(path, whole, lambda: run_folder.read_record(tmp_path), 0.5)


def test_checkpoints(tmp_path):
    shutil.copy(FIRST / "begun_on_gpu" / checkpoint.NAME, tmp_path)
    path = tmp_path / checkpoint.NAME
    state = checkpoint.load(tmp_path)
    assert state
    head = {"config": state.config.to_json(), "about": state.about, "history": state.history}
    contents = []
    for text in malformed(head):
        file = io.BytesIO()
        np.savez(file, told=np.array(text.decode("utf-8", "replace")), model_0=np.zeros(3))
        path.write_bytes(file.getvalue())
        checkpoint._add_checksum(path)
        contents.append(path.read_bytes())
    refused = check_each(path, contents, lambda: checkpoint.load(tmp_path))
    assert refused > 0.5 * len(contents)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A packed network of 8 layers."""
    from resnet_lesson.pretrained.pack import halved
    from resnet_lesson.training import TrainingConfig
    from resnet_lesson.training.model import network

    folder = tmp_path_factory.mktemp("packed")
    record = read_json(FIRST / "finished_run" / run_folder.RECORD)
    model = network(TrainingConfig.from_json(record["config"]), (8, 8, 1), 10)
    weights: dict[str, Any] = halved(model)
    np.savez_compressed(folder / pretrained.WEIGHTS, **weights)
    digest = hashlib.sha256((folder / pretrained.WEIGHTS).read_bytes()).hexdigest()
    record |= {"input_shape": [8, 8, 1], "class_names": [str(digit) for digit in range(10)]}
    write_json(folder / pretrained.RECORD, record | {"weights_sha256": digest})
    return folder


def test_records_of_packed_networks(packed):
    path = packed / pretrained.RECORD
    whole = read_json(path)
    check(path, whole, lambda: repr(pretrained.load(packed)), 0.5, beside=pretrained.WEIGHTS)
    write_json(path, whole)


def test_weights_of_packed_networks(packed):
    """Arrays of any kind, by a checksum that is right."""
    path, whole = packed / pretrained.WEIGHTS, read_json(packed / pretrained.RECORD)
    with np.load(path) as file:
        arrays = dict(file)
    name = "stem_conv/kernel"
    for wrong in (
        *(np.zeros(3, np.float16), arrays[name].astype(np.float32), np.array([None, 1])),
        *(np.array("text"), np.zeros((), np.float16), arrays[name].astype(np.complex64)),
    ):
        np.savez(path, **arrays | {name: wrong})
        said = check_hashed(packed, whole)
        assert "weights.npz must be the weights of its record" in said
    np.savez(path, **{other: value for other, value in arrays.items() if other != name})
    assert "no item named 'stem_conv/kernel.npy'" in check_hashed(packed, whole)
    np.savez(path, **arrays)
    whole["weights_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_json(packed / pretrained.RECORD, whole)
    assert pretrained.load(packed).record == whole


def check_hashed(folder, record):
    digest = hashlib.sha256((folder / pretrained.WEIGHTS).read_bytes()).hexdigest()
    write_json(folder / pretrained.RECORD, record | {"weights_sha256": digest})
    with pytest.raises(ValueError, match=r"weights\.npz") as told:
        pretrained.load(folder)
    return str(told.value)


def test_lesions(tmp_path):
    path = tmp_path / pretrained.LESIONS

    def read():
        explorer = LesionExplorer(pretrained.lesions(tmp_path))
        assert explorer.modules == read_json(path)["modules"]  # not those of another network
        explorer.close()

    check(path, subjects.lesions(), read, 0.8)


def test_recorded_trainings(tmp_path):
    path = tmp_path / "run.json"
    whole = {"file": "resnet-lesson training", "runs": subjects.runs(7)}
    check(path, whole, lambda: TrainingPanel.replay(path).close(), 0.8)


def test_saved_guesses(tmp_path):
    path = tmp_path / "guess-1.json"
    whole = read_json(FIRST / "guesses" / "guess-1.json")
    check(path, whole, lambda: guesses.read(tmp_path), 0.8)


def test_kerass_own_settings_stop_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    for content in malformed({"floatx": "float32", "backend": "tensorflow"}):
        (tmp_path / "keras.json").write_bytes(content)
        assert isinstance(configured_backend(), str)


@pytest.mark.parametrize("kind", FORMATS)
def test_pictures(tmp_path, kind):
    path, draw = tmp_path / f"picture.{kind.lower()}", random.Random(kind)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    whole, contents = file.getvalue(), list(TEXTS)
    for _ in range(10 * size.SEQUENCES):
        damaged = bytearray(whole)
        for _ in range(draw.choice((1, 1, 5, 30))):
            # Half of them where the header is.
            place = draw.randrange(8 * draw.choice((60, len(whole))))
            damaged[place // 8] ^= 1 << place % 8
        contents += [bytes(damaged), whole[: draw.randrange(len(whole))]]

    def read():
        picture = local._picture(path, (16, 16))
        assert picture.shape == (16, 16, 3)
        assert picture.dtype == np.uint8

    assert check_each(path, contents, read) >= len(TEXTS)


@pytest.mark.parametrize("name", ["c.npz", "c.tar.gz"])
def test_data_sets(tmp_path, name):
    path = tmp_path / name
    texts = [content for content in TEXTS if content]
    assert check_each(path, [b"", *texts], lambda: load("cifar10", path)) == len(texts) + 1
