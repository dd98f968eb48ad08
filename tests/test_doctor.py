"""The doctor names what is amiss and what to do, and is silent where all is well."""

import pytest

from resnet_lesson import doctor
from resnet_lesson.__main__ import main


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


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    monkeypatch.undo()
    assert doctor._container_memory(tmp_path) is None
    (tmp_path / "memory.current").write_text("500000000\n", encoding="utf-8")
    (tmp_path / "memory.max").write_text("max\n", encoding="utf-8")
    assert doctor._container_memory(tmp_path) is None
    (tmp_path / "memory.max").write_text("2000000000\n", encoding="utf-8")
    assert doctor._container_memory(tmp_path) == 1.5


def test_where_it_runs_is_told(monkeypatch):
    for module, name in [("google.colab", "Colab"), ("ipykernel", "Jupyter")]:
        with monkeypatch.context() as patch:
            patch.setitem(doctor.sys.modules, module, doctor)
            for variable_ in ("VSCODE_PID", "VSCODE_CWD"):
                patch.delenv(variable_, raising=False)
            assert doctor._front_end().found == name
