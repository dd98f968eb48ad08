"""A trained network, packed and opened again, and taken apart."""

import dataclasses
import itertools
import json
import shutil

import numpy as np
import pytest
from traitlets import TraitError

from resnet_lesson import LesionExplorer, load, pretrained, training
from resnet_lesson.networks.dissect import confusions
from resnet_lesson.pretrained import pack as packing
from resnet_lesson.runtime import keras

pytestmark = pytest.mark.slow

TINY = dataclasses.replace(training.PRESETS["digits"], depth=8, epochs=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a finished run of 8 layers on digits, and its ``Run``."""
    folder = tmp_path_factory.mktemp("run")
    return folder, training.train(TINY, folder, verbose=False)


@pytest.fixture(scope="module")
def packed(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed")
    packing.pack(run[0], None, folder)
    return folder


def right(model):
    digits = load("digits")
    return float(np.mean(model.predict(digits.x_test, verbose=0).argmax(axis=1) == digits.y_test))


def test_what_was_packed_comes_back(run, packed):
    original, again = run[1], pretrained.load(packed)
    for before, after in zip(original.model.weights, again.model.weights, strict=True):
        # Half precision keeps 11 bits.
        np.testing.assert_allclose(after, before, rtol=2**-11, atol=1e-7)
    assert right(again.model) == again.record["float16_test_accuracy"]
    assert abs(right(again.model) - original.record["test_accuracy"]) < 0.01
    assert again.record["history"] == original.record["history"]
    images = packing.noise(again.record["input_shape"])
    answers = again.model.predict(images, verbose=0)
    np.testing.assert_allclose(answers, again.record["noise_answers"], atol=1e-4)


def test_it_computes_in_float32_whatever_the_users_policy(run, packed):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = pretrained.load(packed).model
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


def test_the_files_hold_numbers_and_run_nothing(packed):
    assert {path.name for path in packed.iterdir()} == {
        *("weights.npz", "record.json", "lesions.json", "mistakes.png")
    }
    with np.load(packed / "weights.npz", allow_pickle=False) as file:
        assert {file[name].dtype for name in file.files} == {np.dtype("float16")}


def test_other_weights_are_refused(packed, tmp_path):
    shutil.copytree(packed, tmp_path / "copy")
    damaged = tmp_path / "copy/weights.npz"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(ValueError, match=r"weights.npz must be .*its checksum is .*copy it again"):
        pretrained.load(tmp_path / "copy")


def test_a_deleted_branch_is_one_whose_last_kernel_is_zero(packed):
    model, digits = pretrained.load(packed).model, load("digits")
    found = pretrained.lesions(packed)
    by_set = {row["deleted"]: row for row in found["without"]}
    assert list(by_set) == ["".join(bits) for bits in itertools.product("01", repeat=3)]
    weights = model.get_weights()
    for deleted, row in by_set.items():
        model.set_weights(weights)
        for bit, name in zip(deleted, found["modules"], strict=True):
            if bit == "1":
                kernel = model.get_layer(f"{name}_conv2").kernel
                kernel.assign(np.zeros(kernel.shape))
        answers = model.predict(digits.x_test, verbose=0).argmax(axis=1)
        assert row["answers"] == np.bincount(answers, minlength=10).tolist()
        hits = answers[answers == digits.y_test]
        assert row["right"] == np.bincount(hits, minlength=10).tolist()
    assert len({tuple(row["answers"]) for row in by_set.values()}) > 4  # deletion does something
    assert found["images"] == np.bincount(digits.y_test).tolist()


def test_every_image_is_counted_once_whatever_the_batches(packed):
    model, digits = pretrained.load(packed).model, load("digits")
    assert 500 < len(digits.x_test) < 1000  # in two batches
    for count in confusions(model, digits.x_test, digits.y_test, 10).values():
        assert count.sum(axis=1).tolist() == np.bincount(digits.y_test).tolist()


def test_the_most_confident_mistakes():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]])
    found = packing.most_confident_mistakes(probabilities, np.array([0, 0, 0, 1]), count=2)
    assert found == [
        {"index": 1, "label": 0, "answer": 1, "confidence": 0.8},
        {"index": 3, "label": 1, "answer": 0, "confidence": 0.7},
    ]


def test_only_a_finished_run_is_packed(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "run")
    (tmp_path / "run/record.json").unlink()
    with pytest.raises(ValueError, match="must hold a finished run, received none"):
        packing.pack(tmp_path / "run", None, tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


@pytest.mark.parametrize("name", packing.FILES)
def test_files_of_others_are_not_replaced(run, tmp_path, name):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"without files of others, received .* with {name}"):
        packing.pack(run[0], None, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


def test_weights_with_fewer_arrays_than_layers_are_refused_before_a_network_is_built(
    packed, tmp_path, monkeypatch
):
    shutil.copytree(packed, tmp_path / "copy")
    path = tmp_path / "copy/record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["config"]["depth"] = 9998
    path.write_text(json.dumps(record), encoding="utf-8")
    monkeypatch.setattr("resnet_lesson.training.model.network", lambda *_: pytest.fail("built"))
    with pytest.raises(ValueError, match=r"weights\.npz must be .* fewer than the 9998 layers"):
        pretrained.load(tmp_path / "copy")


def test_a_packed_network_is_not_replaced(run, packed):
    before = {path.name: path.read_bytes() for path in packed.iterdir()}
    with pytest.raises(ValueError, match="must be a folder without files of others, received"):
        packing.pack(run[0], None, packed)
    assert {path.name: path.read_bytes() for path in packed.iterdir()} == before


def test_the_weights_are_those_of_the_record(tmp_path):
    class Worse(keras.callbacks.Callback):
        """Stops after the second epoch, and goes back to the weights of the first."""

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.kept = self.model.get_weights()
            self.model.stop_training = epoch == 1

        def on_train_end(self, logs=None):
            self.model.set_weights(self.kept)

    config = dataclasses.replace(TINY, epochs=3)
    stopped = training.train(config, tmp_path / "run", callbacks=Worse(), verbose=False)
    assert stopped.record["weights_after_epoch"] == 1
    packing.pack(tmp_path / "run", None, tmp_path / "packed")
    again = pretrained.load(tmp_path / "packed")
    assert abs(again.record["float16_test_accuracy"] - stopped.record["test_accuracy"]) < 0.01
    for before, after in zip(stopped.model.weights, again.model.weights, strict=True):
        np.testing.assert_allclose(after, before, rtol=2**-11, atol=1e-7)


def test_only_its_own_data_are_measured(run, tmp_path):
    shutil.copytree(run[0], tmp_path / "run")
    path = tmp_path / "run/record.json"
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"data_sha256": "other"}),
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=r"must be what .* was trained on, received other data"):
        packing.pack(tmp_path / "run", None, tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_a_weight_beyond_half_precision_is_refused(run):
    model = keras.models.clone_model(run[1].model)
    model.set_weights([value + 1e5 for value in run[1].model.get_weights()])
    with pytest.raises(FloatingPointError, match=r"must stay below 65504.* received 100"):
        packing.halved(model)


def test_the_explorer_knows_every_set(packed):
    explorer = LesionExplorer(pretrained.lesions(packed))
    assert explorer.accuracy() == pretrained.load(packed).record["float16_test_accuracy"]
    first, _, last = explorer.modules
    row = {row["deleted"]: row for row in pretrained.lesions(packed)["without"]}["101"]
    assert explorer.accuracy(last, first) == sum(row["right"]) / sum(explorer.images)
    explorer.deleted = [first]
    words = explorer._repr_mimebundle_()[0]["text/plain"]
    assert words.startswith(f"LesionExplorer: the network, without {first}, classifies ")
    with pytest.raises(TraitError, match=r"deleted must name modules of .*, received 'stage9'"):
        explorer.deleted = ["stage9"]
    with pytest.raises(ValueError, match=r"deleted must name modules of .*, received 'stage9'"):
        explorer.accuracy("stage9")


def test_where_nothing_is_packed_it_says_what_would(tmp_path):
    for read in (pretrained.load, pretrained.lesions):
        with pytest.raises(FileNotFoundError, match=r"python -m resnet_lesson pack makes"):
            read(tmp_path)


def test_a_file_that_is_no_json_is_named(tmp_path):
    for name, read in [("record.json", pretrained.load), ("lesions.json", pretrained.lesions)]:
        for content in (b'{"cut": ', b"\xff\xfe"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(
                ValueError, match=rf"{name} must be .* of a packed network.*copy it again"
            ):
                read(tmp_path)


@pytest.fixture(scope="module")
def lessons_own():
    return pretrained.load()


def test_the_lessons_network_computes_as_it_did_when_it_was_packed(lessons_own):
    record = lessons_own.record
    images = packing.noise(record["input_shape"])
    answers = lessons_own.model.predict(images, verbose=0)
    np.testing.assert_allclose(answers, record["noise_answers"], atol=1e-4)
    assert np.ptp(answers, axis=0).max() > 1e-3  # it looks at what it is shown


def test_the_lessons_network_is_small_and_has_lost_nothing_by_that(lessons_own):
    record = lessons_own.record
    assert sum(path.stat().st_size for path in pretrained.FOLDER.iterdir()) < 2e6
    assert record["float16_test_accuracy"] > 0.88
    assert abs(record["float16_test_accuracy"] - record["test_accuracy"]) < 0.002
    assert record["test_accuracy"] == record["history"][-1]["test_accuracy"]
    assert len(record["history"]) == record["config"]["epochs"]
    assert len(record["layers"]) == len(record["history"][0]["gradient_norm"])


def test_the_lessons_lesions_are_those_of_its_network(lessons_own):
    found, record = pretrained.lesions(), lessons_own.record
    modules = len(found["modules"])
    assert {row["deleted"] for row in found["without"]} == {
        "".join(bits) for bits in itertools.product("01", repeat=modules)
    }
    assert sum(found["images"]) == record["test_images"]
    assert all(sum(row["answers"]) == record["test_images"] for row in found["without"])
    assert LesionExplorer().accuracy() == record["float16_test_accuracy"]


def test_the_lessons_mistakes_are_mistakes_the_surest_first(lessons_own):
    mistakes = lessons_own.record["mistakes"]
    sure = [mistake["confidence"] for mistake in mistakes]
    assert len(sure) == packing.SHOWN
    assert sure == sorted(sure, reverse=True)
    assert all(mistake["answer"] != mistake["label"] for mistake in mistakes)
