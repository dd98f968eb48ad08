"""Checkpoints and weights that are damaged, or made to do harm: refused, and by name."""

import io
import json
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_lesson import training
from resnet_lesson.gradients.history import MEASURES
from resnet_lesson.training import TrainingConfig, checkpoint
from resnet_lesson.training import folder as run_folder
from resnet_lesson.training.schemas import COLUMNS

ONE = TrainingConfig(depth=8, epochs=1, batch_size=128, warmup_epochs=0, padding=1, flip=False)
OLD = Path(__file__).parents[1] / "old_files" / "first_edition" / "finished_run" / "checkpoint.npz"


def flips(content, bits, folder):
    """What loading says of each flipped bit: the state, or the error."""
    for bit in bits:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        (folder / checkpoint.NAME).write_bytes(damaged)
        try:
            yield checkpoint.load(folder)
        except ValueError as error:
            yield error


def equal(one, other):
    lists = [(state.model, state.optimizer) for state in (one, other)]
    return all(
        len(ours) == len(theirs)
        and all(
            a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)
        )
        for ours, theirs in zip(*lists, strict=True)
    ) and (one.config, one.about, one.history) == (other.config, other.about, other.history)


ABOUT = {
    **{"data": "digits", "data_sha256": "x", "train_images": 1280, "test_images": 517},
    **{"date": "2026-11-30", "hardware": "CPU", "versions": {"tensorflow": "2"}},
}
EPOCH = dict.fromkeys(COLUMNS, 1) | {name: [0.5, None] for name in MEASURES}


def small_checkpoint(folder):
    arrays = [np.arange(6, dtype=np.float32)] * 3
    state = checkpoint.State(ONE, ABOUT, [EPOCH], arrays, [np.array(3)] * 2)
    checkpoint.save(folder, state)
    return state


def test_any_flipped_bit_is_found(tmp_path):
    state = small_checkpoint(tmp_path)
    assert equal(checkpoint.load(tmp_path), state)
    content = (tmp_path / checkpoint.NAME).read_bytes()
    found = list(flips(content, range(0, 8 * len(content), 7), tmp_path))
    assert [said for said in found if not isinstance(said, ValueError)] == []
    assert {str(said).partition(" must be ")[0] for said in found} == {
        str(tmp_path / checkpoint.NAME)
    }


def test_a_checkpoint_cut_short_or_with_more_behind_it_is_refused(tmp_path):
    small_checkpoint(tmp_path)
    path = tmp_path / checkpoint.NAME
    content = path.read_bytes()
    for damaged in (content[:-1], content[:-64], content[:64], b"", content + b"\n", content * 2):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"checkpoint\.npz must be .*its checksum is not that"):
            checkpoint.load(tmp_path)


def sealed(path, entries, compression=zipfile.ZIP_STORED):
    """A checkpoint of any entries, whose checksum is right."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    checkpoint._add_checksum(path)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def claiming(shape, dtype="<f4"):
    words = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return np.lib.format.magic(1, 0) + len(words).to_bytes(2, "little") + words + bytes(8)


TOLD = {"config": ONE.to_json(), "about": ABOUT, "history": [EPOCH]}
WRONG_HEADS: dict[str, Any] = {
    "null": None,
    "a list": [TOLD],
    "no config": {name: value for name, value in TOLD.items() if name != "config"},
    "a config of others": TOLD | {"config": {"drops": [], "width": 3}},
    "no drops": TOLD | {"config": {}},
    "a depth in words": TOLD | {"config": ONE.to_json() | {"depth": "deep"}},
    "no machine": TOLD | {"about": {n: v for n, v in ABOUT.items() if n != "hardware"}},
    "versions of numbers": TOLD | {"about": ABOUT | {"versions": {"tensorflow": 2}}},
    "went on nowhere": TOLD | {"about": ABOUT | {"went_on": [{}]}},
    "history of nothing": TOLD | {"history": [{}]},
    "history in words": TOLD | {"history": [EPOCH | {"loss": "low"}]},
    "a record's own entry": TOLD | {"about": ABOUT | {"layers": 3}},
    "more epochs than planned": TOLD | {"history": [EPOCH, EPOCH | {"epoch": 2}]},
    "an epoch before the first": TOLD | {"history": [EPOCH | {"epoch": -3}]},
    "an epoch left out": TOLD | {"history": [EPOCH | {"epoch": 2}]},
    "half a step": TOLD | {"history": [EPOCH | {"step": 1.5}]},
    "endless seconds": TOLD | {"history": [EPOCH | {"seconds": 1e308}]},
    "norms in words": TOLD | {"history": [EPOCH | {"gradient_norm": ["low"]}]},
}


@pytest.mark.parametrize("name", WRONG_HEADS)
def test_a_head_of_something_else_is_refused_by_its_file(tmp_path, name):
    told = {"told": npy(np.array(json.dumps(TOLD))), "model_0": npy(np.zeros(2))}
    sealed(tmp_path / checkpoint.NAME, told)
    state = checkpoint.load(tmp_path)
    assert state
    assert state.history == [EPOCH]
    told["told"] = npy(np.array(json.dumps(WRONG_HEADS[name])))
    sealed(tmp_path / checkpoint.NAME, told)
    with pytest.raises(ValueError, match=r"checkpoint\.npz must be a .*move the folder away"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        np.array(["text"]),
        np.array([np.nan]),
        np.array([True]),
        np.array([1j]),
        np.array([0], "datetime64[s]"),
        np.array([b"1234"], "V4"),
    ],
    ids=lambda values: str(values.dtype),
)
@pytest.mark.parametrize("kind", checkpoint.KINDS)
def test_arrays_that_no_run_has_are_refused_by_their_file(tmp_path, kind, values):
    entries = {"told": npy(np.array(json.dumps(TOLD))), f"{kind}_0": npy(values)}
    sealed(tmp_path / checkpoint.NAME, entries)
    words = rf"checkpoint\.npz must be a .*its {kind} has .* that are no finite numbers"
    with pytest.raises(ValueError, match=words):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "compression"),
    [
        (npy(np.zeros(50_000_000)), zipfile.ZIP_DEFLATED),
        (npy(np.zeros(1_000)), zipfile.ZIP_BZIP2),
        (claiming((10**11,)), zipfile.ZIP_STORED),
        (claiming((10**30,)), zipfile.ZIP_STORED),
        (claiming((1,), "|O"), zipfile.ZIP_STORED),
        (b"\x93NUMPY\2\0" + bytes(100), zipfile.ZIP_STORED),
        (b"", zipfile.ZIP_STORED),
    ],
    ids=["bomb", "bzip2", "100 GB", "beyond any machine", "objects", "version 2", "nothing"],
)
def test_a_hostile_array_is_refused_by_its_file_before_it_is_unpacked(
    tmp_path, content, compression, monkeypatch
):
    def read_array(file, **_options):
        pytest.fail("it was unpacked")

    monkeypatch.setattr(np.lib.format, "read_array", read_array)
    told = npy(np.array(json.dumps(TOLD)))
    sealed(tmp_path / checkpoint.NAME, {"told": told, "model_0": content}, compression)
    with pytest.raises(ValueError, match=r"checkpoint\.npz must be a .*move the folder away"):
        checkpoint.load(tmp_path)


@pytest.mark.slow
def test_weights_that_are_not_those_of_the_record_are_written_again(tmp_path):
    run = training.train(ONE, tmp_path, verbose=False)
    path = tmp_path / run_folder.WEIGHTS
    content = path.read_bytes()
    # Some of these flip a weight, and others the file's own structure.
    for place in random.Random(0).sample(range(8 * len(content)), 5):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"weights\.h5 must .*--output .* writes it again"):
            run_folder.load_weights(tmp_path, run.record, run.model)
    again = training.train(ONE, tmp_path, resume=True, verbose=False)
    for one, other in zip(run.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    run_folder.load_weights(tmp_path, again.record, run.model)


def test_a_flipped_bit_of_a_first_edition_is_found_or_does_nothing(tmp_path):
    content = OLD.read_bytes()
    shutil.copy(OLD, tmp_path)
    whole = checkpoint.load(tmp_path)
    last = 8 * len(content)
    bits = [*range(0, last, 50_021), *range(last - 40_000, last, 397)]
    found = list(flips(content, bits, tmp_path))
    states = [state for state in found if isinstance(state, checkpoint.State)]
    assert len(states) < 0.5 * len(found)
    assert all(equal(state, whole) for state in states)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    checkpoint.save(tmp_path, checkpoint.State(ONE, ABOUT, [], [np.zeros(2)], [np.zeros(1)]))
    with np.load(tmp_path / checkpoint.NAME) as file:
        whole = dict(file)
    for broken in (
        {name: value for name, value in whole.items() if name != "told"},
        whole | {"other": np.zeros(1)},
        whole | {"model_2": np.zeros(1)},
        whole | {"told": np.array('{"config": {}}')},
    ):
        np.savez(tmp_path / checkpoint.NAME, **broken)
        with pytest.raises(ValueError, match="move the folder away to start anew"):
            checkpoint.load(tmp_path)
