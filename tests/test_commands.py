"""The command line: what each command needs, refuses and writes."""

import json
import subprocess
import sys

import pytest
import toy_study

from resnet_lesson.__main__ import main
from resnet_lesson.output import print_line

HELP = """
import contextlib, io, sys
from resnet_lesson.__main__ import main

for command in ("study", "train", "pack", "grid", "runs"):
    said = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(said):
        main([command, "--help"])
    assert said.getvalue().startswith(f"usage: python -m resnet_lesson {command} ")
assert "tensorflow" not in sys.modules
"""
WRITERS = {
    "grid": ("resnet_lesson.widgets.explorer.grid", "FILE"),
    "runs": ("resnet_lesson.widgets.panel.runs", "RECORDED"),
}


def test_help_needs_no_tensorflow():
    subprocess.run([sys.executable, "-c", HELP], check=True, timeout=120)


def refused(capsys, *arguments):
    """The exit code, and the one line that was written about it."""
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    code = stopped.value.code
    code, line = (1, code) if isinstance(code, str) else (code, capsys.readouterr().err)
    assert line.strip().count("\n") == 0
    return code, line


# What turns the direction of writing, colours, moves the cursor, renames the window, breaks the
# line, and half a pair of surrogates, as the name of a file that is not UTF-8 has.
COMMANDING = "cat\u202egpj\x1b[31m\x1b[2A\x1b]0;x\x07\u2028\r\n\x85\x7f\udcff.png"
ESCAPED = r"cat\u202egpj\x1b[31m\x1b[2A\x1b]0;x\x07\u2028\r\n\x85\x7f\udcff.png"


@pytest.mark.parametrize(
    "arguments",
    [
        ("pack", COMMANDING, "packed"),  # the ValueError of what is no run
        ("train", COMMANDING),  # an argument that argparse does not know
        ("study", COMMANDING),
        ("train", "--preset", COMMANDING),
    ],
)
def test_an_error_commands_no_terminal(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert stopped.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert ESCAPED in line
    assert line.isprintable()


@pytest.mark.parametrize("error", [OSError, FloatingPointError, ValueError])
def test_whatever_fails_commands_no_terminal(monkeypatch, capsys, error):
    def fails(*_):
        raise error(COMMANDING)

    monkeypatch.setattr("resnet_lesson.pretrained.pack.pack", fails)
    _, line = refused(capsys, "pack", "a", "b")
    assert line.strip() == f"python -m resnet_lesson: {ESCAPED}"


def test_a_stopped_training_commands_no_terminal(monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("resnet_lesson.training.train", stop)
    code, line = refused(capsys, "train", "--output", COMMANDING)
    assert (code, ESCAPED in line, line.strip().isprintable()) == (130, True, True)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        (COMMANDING, ESCAPED),
        ("Übung 層 2·10⁻¹² − ×", "Übung 層 2·10⁻¹² − ×"),  # what only looks unusual stays
        ("תמונה", "תמונה"),
    ],
)
def test_a_line_is_printed_visibly(name, printed, capsys):
    print_line(f"The curves: {name}")
    assert capsys.readouterr().out == f"The curves: {printed}\n"


def test_pack_takes_run_output_and_data(tmp_path, monkeypatch, capsys):
    calls = []
    monkeypatch.setattr("resnet_lesson.pretrained.pack.pack", lambda *given: calls.append(given))
    main(["pack", "runs/mine", "packed"])
    main(["pack", "runs/mine", "packed", "--data", "cifar10.npz"])
    assert calls == [("runs/mine", None, "packed"), ("runs/mine", "cifar10.npz", "packed")]
    assert capsys.readouterr().out == 2 * "Packed. pretrained.load('packed') opens it.\n"


def test_pack_refuses_what_is_no_run(tmp_path, capsys):
    code, line = refused(capsys, "pack", str(tmp_path), str(tmp_path / "packed"))
    assert code == 2
    assert line.startswith(f"python -m resnet_lesson: {tmp_path} must hold a finished run")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(["", "b"], "RUN"), (["a", ""], "OUTPUT"), (["a", "b", "--data", ""], "--data")],
)
def test_pack_names_an_empty_path(arguments, name, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "resnet_lesson.pretrained.pack", None)
    code, line = refused(capsys, "pack", *arguments)
    assert (code, f": {name} must be a path, received ''" in line) == (2, True)


@pytest.mark.parametrize("error", [OSError, FloatingPointError])
def test_a_pack_that_fails_is_one_line(monkeypatch, capsys, error):
    def fails(*_):
        raise error("too large")

    monkeypatch.setattr("resnet_lesson.pretrained.pack.pack", fails)
    assert refused(capsys, "pack", "a", "b") == (1, "python -m resnet_lesson: too large")


@pytest.fixture(params=WRITERS)
def writer(request, tmp_path, monkeypatch):
    """A command whose work takes no time, and the file that it writes if no other is given."""
    module, name = WRITERS[request.param]
    own = tmp_path / "own.json"
    own.write_text("before", encoding="utf-8")
    monkeypatch.setattr(f"{module}.make", lambda: {"made": [1, 2]})
    monkeypatch.setattr(f"{module}.{name}", own)
    return request.param, own, f"{module}.make"


def test_what_was_made_is_written_into_the_package(writer, capsys):
    command, own, _ = writer
    main([command])
    assert own.read_text(encoding="utf-8") == '{"made":[1,2]}\n'
    assert capsys.readouterr().out.endswith(f": {own}\n")


def test_what_was_made_is_written_elsewhere(writer, tmp_path, capsys):
    command, own, _ = writer
    other = tmp_path / "other.json"
    main([command, "--output", str(other)])
    assert json.loads(other.read_text(encoding="utf-8")) == {"made": [1, 2]}
    assert own.read_text(encoding="utf-8") == "before"
    assert capsys.readouterr().out.endswith(f": {other}\n")


def test_where_nothing_can_be_written_nothing_is_made(writer, tmp_path, monkeypatch, capsys):
    command, own, make = writer
    monkeypatch.setattr(make, lambda: pytest.fail("it computes"))
    code, line = refused(capsys, command, "--output", "")
    assert (code, "--output must be a path, received ''" in line) == (2, True)
    code, line = refused(capsys, command, "--output", str(tmp_path / "none" / "made.json"))
    assert (code, "No such file" in line) == (1, True)
    assert list(tmp_path.iterdir()) == [own]


def test_where_the_package_is_read_only_the_option_is_named(writer, tmp_path, monkeypatch, capsys):
    command, own, make = writer
    monkeypatch.setattr("resnet_lesson.__main__.__file__", str(tmp_path / "__main__.py"))
    monkeypatch.setattr(make, lambda: pytest.fail("it computes"))
    monkeypatch.setattr("resnet_lesson.files.os.access", lambda path, mode: False)
    _, line = refused(capsys, command)
    assert str(own) in line
    assert line.endswith("(--output says where to write)")


@pytest.mark.parametrize("command", [["train"], ["study", "toy"], ["grid", "--output", "g.json"]])
def test_a_deleted_folder_is_named_as_the_reason(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("resnet_lesson.studies.study", lambda name: toy_study.study())
    monkeypatch.setattr("resnet_lesson.widgets.explorer.grid.make", lambda: {"made": [1]})
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code, line = refused(capsys, *command)
    assert code == 1
    assert line.endswith("(the folder in which this was started was deleted: change to another)")


def test_an_interrupt_leaves_what_was_there(writer, tmp_path, monkeypatch, capsys):
    def stop():
        raise KeyboardInterrupt

    command, own, make = writer
    monkeypatch.setattr(make, stop)
    line = "python -m resnet_lesson: stopped; nothing is half written: run it again\n"
    assert refused(capsys, command) == (130, line)
    assert own.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [own]
