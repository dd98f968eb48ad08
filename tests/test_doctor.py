"""The doctor names what is amiss and what to do, and is silent where all is well."""

import os
import subprocess
import sys

import clones
import pytest

from resnet_lesson import doctor
from resnet_lesson.__main__ import main
from resnet_lesson.keras_settings import check_file, configured_backend


@pytest.fixture(autouse=True)
def healthy(monkeypatch):
    """A machine with room, whatever this one has."""
    monkeypatch.setattr(doctor, "_machine_memory", lambda: 8.0)
    monkeypatch.setattr(doctor, "_container_memory", lambda: None)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: Usage(9e9))


class Usage:
    def __init__(self, free):
        self.free = free


def amiss():
    """What is amiss, with the advice."""
    return {each.what: each.advice for each in doctor.findings() if each.advice}


def test_a_healthy_machine_has_nothing_amiss(capsys):
    assert amiss() == {}
    names = {each.what for each in doctor.findings()}
    assert {"Python", "resnet-lesson", "tensorflow", "keras", "memory", "disk", "device"} <= names
    doctor.warn()
    assert capsys.readouterr().out == ""
    main(["doctor"])
    assert capsys.readouterr().out.endswith("All is well.\n")


def variable(name, value):
    return lambda patch: patch.setenv(name, value)


def replaced(name, value):
    return lambda patch: patch.setattr(doctor, name, value)


@pytest.mark.parametrize(
    ("harm", "what", "advice"),
    [
        (replaced("_version", lambda name: None), "keras", 'pip install "keras>='),
        (replaced("_version", lambda name: "0.1"), "tensorflow", 'pip install "tensorflow>='),
        (variable("KERAS_BACKEND", "numpy"), "Keras computes on", "set KERAS_BACKEND to one of"),
        (variable("TF_USE_LEGACY_KERAS", "1"), "TF_USE_LEGACY_KERAS", "unset TF_USE_LEGACY_KERAS"),
        (variable("TF_ENABLE_ONEDNN_OPTS", "0"), "oneDNN", "unset TF_ENABLE_ONEDNN_OPTS"),
        (replaced("_machine_memory", lambda: 0.7), "memory", "shut down other notebooks' kernels"),
        (replaced("_container_memory", lambda: 0.7), "memory", "shut down other notebooks'"),
        (
            lambda patch: patch.setattr(doctor.shutil, "disk_usage", lambda path: Usage(1e8)),
            *("disk", "make room"),
        ),
        (
            lambda patch: patch.setattr(doctor.os, "access", lambda path, mode: False),
            *("disk", "--output"),
        ),
        (
            lambda patch: patch.setattr(doctor.os, "access", lambda path, mode: False),
            *("downloads", "set KERAS_HOME"),
        ),
        (
            lambda patch: patch.setattr(doctor.os, "access", lambda path, mode: False),
            *("Jupyter's files", "set JUPYTER_RUNTIME_DIR"),
        ),
    ],
)
def test_what_is_amiss_is_named_with_what_to_do(harm, what, advice, monkeypatch, capsys):
    harm(monkeypatch)
    assert advice in amiss()[what]
    doctor.warn()
    assert len(capsys.readouterr().out.splitlines()) == 1
    with pytest.raises(SystemExit, match=f"^amiss: .*{what}"):
        main(["doctor"])
    assert f"    -> {amiss()[what]}" in capsys.readouterr().out


def test_another_backend_does_without_what_only_the_lesson_needs(monkeypatch):
    present = {"jax": "0.10", "keras": "3.15", "numpy": "2.4"}
    monkeypatch.setattr(doctor, "_version", lambda name: present.get(name))
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = {each.what: each for each in doctor._packages()}
    assert "tensorflow" not in found
    assert "anywidget" not in found
    assert found["jax"].advice == ""


def test_a_clone_that_was_not_installed_is_looked_at_too(monkeypatch, tmp_path):
    """On Kaggle, say, where it lies among the notebook's inputs."""

    def missing(name):
        raise doctor.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.importlib.metadata, "requires", missing)
    version, absent = doctor._version, {"resnet-lesson", "anywidget"}
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in absent else version(name))
    assert [*amiss()] == ["anywidget"]
    monkeypatch.setattr(doctor, "PROJECT", tmp_path)  # a copy of the package alone
    assert "pip install ." in amiss()["resnet-lesson"]
    theirs = '[project]\nname = "theirs"\ndependencies = ["flask"]'
    (tmp_path / "pyproject.toml").write_text(theirs, encoding="utf-8")
    assert "pip install ." in amiss()["resnet-lesson"]


def test_keras_own_settings_count(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for text, backend in [
        ('{"backend": "jax"}', "jax"),
        ("{", "tensorflow"),
        ("[]", "tensorflow"),
        ("{}", "tensorflow"),
    ]:
        (tmp_path / "keras.json").write_text(text, encoding="utf-8")
        monkeypatch.setenv("KERAS_BACKEND", "")  # which Keras takes for none
        assert configured_backend() == backend
        monkeypatch.setenv("KERAS_BACKEND", "torch")
        assert configured_backend() == "torch"


@pytest.mark.slow
def test_settings_of_keras_that_are_no_object_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for content in ("{", '{"floatx": "float32"}'):  # Keras does without the first
        (tmp_path / "keras.json").write_text(content, encoding="utf-8")
        check_file()
    for content in ("[]", "5", '"x"', "null"):
        (tmp_path / "keras.json").write_text(content, encoding="utf-8")
        with pytest.raises(ImportError, match=r"keras\.json must hold .* received .*: remove it"):
            check_file()


def test_keras_home_is_where_keras_says(tmp_path):
    """In a home that cannot be written to, without one, and as it is named."""
    code = "import keras; from resnet_lesson.keras_settings import keras_home; "
    code += "print(keras.config.keras_home() if hasattr(keras.config, 'keras_home') else"
    code += " keras.src.backend.config.keras_home(), keras_home())"
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    for changes in (
        {"HOME": str(locked)},
        {"HOME": str(locked / "none")},
        {"HOME": str(tmp_path)},
        {"KERAS_HOME": str(tmp_path / "own")},
    ):
        done = subprocess.run(
            [*clones.without_roots_privileges(), sys.executable, "-c", code],
            env={**os.environ, **changes},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        theirs, ours = done.stdout.split()
        assert theirs == ours


def test_what_keeps_keras_from_starting_is_a_finding():
    done = subprocess.run(
        [sys.executable, "-m", "resnet_lesson", "doctor"],
        env={**os.environ, "KERAS_BACKEND": "abacus"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "device: Keras does not start\n    -> " in done.stdout
    assert "abacus\n    -> set KERAS_BACKEND to one of tensorflow, jax, torch" in done.stdout


def test_a_folder_that_was_deleted_is_a_finding(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "this folder was deleted" in {each.found for each in doctor._quick()}
    monkeypatch.chdir(tmp_path)


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    monkeypatch.undo()
    assert doctor._container_memory(tmp_path) is None
    (tmp_path / "memory.current").write_text("500000000\n", encoding="utf-8")
    (tmp_path / "memory.stat").write_text("anon 2\ninactive_file 0\n", encoding="utf-8")
    (tmp_path / "memory.max").write_text("max\n", encoding="utf-8")
    assert doctor._container_memory(tmp_path) is None
    (tmp_path / "memory.max").write_text("2000000000\n", encoding="utf-8")
    assert doctor._container_memory(tmp_path) == 1.5
    # Of what is taken, files that were read can make room.
    (tmp_path / "memory.stat").write_text("anon 2\ninactive_file 300000000\n", encoding="utf-8")
    assert doctor._container_memory(tmp_path) == 1.8


def test_where_it_runs_is_told(monkeypatch):
    for module, name in [("google.colab", "Colab"), ("ipykernel", "Jupyter")]:
        with monkeypatch.context() as patch:
            patch.setitem(doctor.sys.modules, module, doctor)
            for variable_ in ("VSCODE_PID", "VSCODE_CWD"):
                patch.delenv(variable_, raising=False)
            assert doctor._front_end().found == name
