"""A study that is stopped at any moment leaves nothing behind, and ends with the same record."""

import contextlib
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import kills
import pytest
import signals
from kills import KILLS
from toy_study import study

from resnet_lesson.studies import engine

pytestmark = pytest.mark.slow

TOY = Path(__file__).parents[1] / "toy_study.py"
SEEDS = 3 * KILLS


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """The bytes of the record of a study that nobody stopped."""
    monkeypatch.setattr(engine, "_pool", lambda scheduler: ThreadPoolExecutor(1))
    monkeypatch.setattr("resnet_lesson.runtime.use_one_thread", lambda: None)
    engine.run(study(seeds=SEEDS), tmp_path / "whole")
    return (tmp_path / "whole" / "toy.json").read_bytes()


def runs_on_record(folder):
    with contextlib.suppress(FileNotFoundError):
        return (folder / "toy.journal").read_bytes().count(b"\n")
    return 0


def finish(folder):
    """Let it end, and return the bytes of its record."""
    code, said = kills.end(kills.start(TOY, folder, SEEDS))
    assert (code, said) == (0, "")
    assert [path.name for path in folder.iterdir()] == ["toy.json"]
    return (folder / "toy.json").read_bytes()


def test_killed_again_and_again(tmp_path, whole):
    killed, draw, seen = tmp_path / "killed", random.Random(KILLS), []
    for kill in range(KILLS):
        moment = ("in writing", "just written", "any time")[kill % 3]
        number = draw.randrange(500) if moment == "any time" else draw.randrange(1, 4)
        code, said = kills.end(kills.start(TOY, killed, SEEDS, "slow_measure", moment, number))
        assert code == -signal.SIGKILL, said
        assert not (killed / "toy.json").exists()
        incomplete = not (killed / "toy.journal").read_bytes().endswith(b"\n")
        assert incomplete == (moment == "in writing")
        event = "milliseconds after the first run" if moment == "any time" else "run of a process"
        seen.append(
            {"program": "study", "signal": "SIGKILL", "moment": moment, event: number}
            | {"runs_on_record": runs_on_record(killed), "incomplete_line": incomplete}
        )
    assert 0 < runs_on_record(killed) < 4 * SEEDS
    same = finish(killed) == whole
    kills.keep("study", "A study of a toy is killed.", seen, same)
    assert same


def has_more_runs(folder, before):
    return runs_on_record(folder) > before


def line(folder):
    return (
        "python -m resnet_lesson: stopped; the same command goes on with what is on record in "
        f"{folder}\n"
    )


def test_signals_at_any_moment_of_a_study(tmp_path, whole):
    stopped, draw, seen = tmp_path / "stopped", random.Random(KILLS), []
    for kill in range(KILLS):
        before, process = runs_on_record(stopped), kills.start(TOY, stopped, SEEDS)
        has_begun = partial(has_more_runs, stopped, before)
        row, code, said = signals.send(process, draw, kill, has_begun, 0.5)
        signals.check(row, code, said, line(stopped))
        assert kills.left_over(stopped) == []
        seen.append({"program": "study"} | row | {"runs_on_record": runs_on_record(stopped)})
    same = finish(stopped) == whole
    kills.keep("study_signals", "A study of a toy gets a signal.", seen, same)
    assert same
    assert sum(row["exit_code"] != 0 for row in seen) > KILLS / 2


def test_a_signal_does_not_wait_for_runs_of_minutes(tmp_path, monkeypatch):
    begun = tmp_path / "begun"
    monkeypatch.setenv("BEGUN", str(begun))
    process = kills.start(TOY, tmp_path / "study", SEEDS, "endless_measure")
    row, code, said = signals.send(process, random.Random(0), 0, begun.exists, 0)
    assert (code, said) == (130, line(tmp_path / "study"))
    assert row["ended_after_seconds"] < 60
    assert [path.name for path in (tmp_path / "study").iterdir()] == ["toy.journal"]


def test_a_worker_that_is_killed_is_told_in_one_line(tmp_path):
    process = kills.start(TOY, tmp_path, 8, "dying_measure")
    code, said = kills.end(process)
    assert code == 1
    assert said.startswith("python -m resnet_lesson: a process that measured toy was ended")
    assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["toy.journal"]
