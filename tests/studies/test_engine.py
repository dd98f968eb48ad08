"""The engine of the studies: nothing lost, nothing counted twice, nothing changed unseen."""

import contextlib
import json
import re
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import toy_study
from toy_study import study

from resnet_lesson import files, studies
from resnet_lesson.__main__ import main
from resnet_lesson.studies import engine
from resnet_lesson.studies.engine import product, run
from resnet_lesson.studies.record import COMMITTED, Record, read_record, write_record

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a toy study run from start to end, in processes of its own."""
    folder = tmp_path_factory.mktemp("finished")
    run(study(), folder)
    return folder


@pytest.fixture
def here(monkeypatch):
    """Runs in this process, which has its threads already: starting others takes seconds."""

    @contextlib.contextmanager
    def pool(scheduler):
        with ThreadPoolExecutor(1) as pool:
            yield pool

    monkeypatch.setattr("resnet_lesson.studies.engine._pool", pool)
    monkeypatch.setattr("resnet_lesson.runtime.use_one_thread", lambda: None)


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of it."""
    (tmp_path / "toy.json").write_text(
        (finished / "toy.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    return tmp_path


def rows(seeds=3):
    """What the record of the toy must hold, in its order."""
    return [
        {"size": size, "kind": kind, "seed": seed, "part": part}
        | {"value": float(f"{size + seed / 3 + part:.6g}")}
        for size in (1, 2)
        for kind in "ab"
        for seed in range(seeds)
        for part in (0, 1)
    ]


def test_a_grid_is_every_combination():
    assert product(a=(1, 2), b="xy") == (
        *({"a": 1, "b": "x"}, {"a": 1, "b": "y"}),
        *({"a": 2, "b": "x"}, {"a": 2, "b": "y"}),
    )


def test_a_record_has_every_run_once_and_says_where_it_comes_from(finished):
    record = read_record(finished / "toy.json")
    assert record.runs == rows()
    assert record.about["command"] == "python -m resnet_lesson study toy"
    assert record.about["tried"] == {"size": [1, 2], "kind": ["a", "b"]}
    assert record.about["versions"].keys() >= {"device", "tensorflow", "keras", "python"}
    assert [path.name for path in finished.iterdir()] == ["toy.json"]


def test_a_rerun_changes_nothing(folder, monkeypatch):
    before = (folder / "toy.json").read_bytes(), (folder / "toy.json").stat().st_mtime_ns
    monkeypatch.setattr("resnet_lesson.studies.engine._run_tasks", None)  # and runs nothing
    run(study(), folder)
    run(study(), folder, seeds=1)
    assert before == ((folder / "toy.json").read_bytes(), (folder / "toy.json").stat().st_mtime_ns)


def test_more_seeds_run_only_what_is_missing(folder, here):
    path = folder / "toy.json"
    record = read_record(path)
    record.runs[0]["value"] = 77.0  # to see that the run is kept
    write_record(path, record)
    record = run(study(), folder, seeds=4)
    assert record.runs == [rows(4)[0] | {"value": 77.0}, *rows(4)[1:]]
    assert record.about["command"] == "python -m resnet_lesson study toy --seeds 4"


def test_a_setting_that_left_the_grid_leaves_the_record(folder, here):
    assert run(study(kinds="b"), folder).values("kind") == ["b"]


def test_a_study_resumes_from_a_journal_cut_short(finished, tmp_path, here):
    entries = journal_of(finished)
    complete, cut = entries[:5], json.dumps(entries[5])[:40]
    text = "".join(json.dumps(entry) + "\n" for entry in complete) + cut
    (tmp_path / "toy.journal").write_text(text, encoding="utf-8")
    run(study(), tmp_path)
    assert (tmp_path / "toy.json").read_bytes() == (finished / "toy.json").read_bytes()
    assert not (tmp_path / "toy.journal").exists()


def test_a_journal_left_behind_by_a_finished_study_is_not_counted_again(finished, folder):
    text = "".join(json.dumps(entry) + "\n" for entry in journal_of(finished))
    (folder / "toy.journal").write_text(text, encoding="utf-8")
    run(study(), folder)
    assert (folder / "toy.json").read_bytes() == (finished / "toy.json").read_bytes()
    assert not (folder / "toy.journal").exists()


@pytest.mark.parametrize(
    "line",
    ["garbage", "{}", "", "[]", "null", "[" * 100_000, b"\xff\xfe", '{"key": "a", "seed": 0}'],
)
def test_a_bad_line_of_a_journal_is_named_and_nothing_is_lost(finished, tmp_path, here, line):
    good = [json.dumps(entry).encode() for entry in journal_of(finished)]
    bad = line if isinstance(line, bytes) else line.encode()
    path = tmp_path / "toy.journal"
    for place in (0, 4, len(good)):
        path.write_bytes(b"\n".join([*good[:place], bad, *good[place:], b""]))
        before = path.read_bytes()
        words = rf"toy\.journal, line {place + 1} must be the entry of a run, .*: remove that line"
        with pytest.raises(ValueError, match=words):
            run(study(), tmp_path)
        assert [file.name for file in tmp_path.iterdir()] == ["toy.journal"]
        assert path.read_bytes() == before
    path.write_bytes(b"\n".join([*good[:3], *good[4:], b""]))  # as the message says
    run(study(), tmp_path)
    assert (tmp_path / "toy.json").read_bytes() == (finished / "toy.json").read_bytes()


def test_a_journal_that_ends_without_a_line_break_keeps_its_last_run(finished, tmp_path):
    journal, entries = tmp_path / "toy.journal", journal_of(finished)
    for entry in entries:
        engine._append(journal, entry)
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-1])  # as some editors leave it
    assert list(engine._read_journal(journal).values()) == entries
    assert journal.read_bytes() == whole
    journal.write_bytes(whole.replace(b"\n", b"\r\n"))
    assert list(engine._read_journal(journal).values()) == entries


@pytest.mark.parametrize("end", [b"my notes of an hour", b"{", b'{"key": "[', b'{"kex"', b"\r{"])
def test_only_the_beginning_of_an_entry_is_taken_off_a_journals_end(finished, tmp_path, end):
    journal, entry = tmp_path / "toy.journal", journal_of(finished)[0]
    engine._append(journal, entry)
    whole = journal.read_bytes()
    journal.write_bytes(whole + end)
    if b'{"key": '.startswith(end[:8]):
        assert engine._read_journal(journal) == {entry["key"]: entry}
        assert journal.read_bytes() == whole
        return
    with pytest.raises(ValueError, match=r"toy\.journal, line 2 must be the entry of a run"):
        engine._read_journal(journal)
    assert journal.read_bytes() == whole + end


def test_a_journal_with_old_line_ends_is_refused_and_kept(finished, tmp_path):
    journal, entries = tmp_path / "toy.journal", journal_of(finished)
    journal.write_bytes(b"\r".join(json.dumps(entry).encode() for entry in entries))
    before = journal.read_bytes()
    with pytest.raises(ValueError, match=r"toy\.journal, line 1 must be the entry of a run"):
        engine._read_journal(journal)
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry["runs"][0].update(size=7),
        lambda entry: entry["runs"][0].update(seed=7),
        lambda entry: entry.update(seed=7),
        lambda entry: entry.update(key="[]"),
        lambda entry: entry.update(runs=[]),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(finished, tmp_path, change):
    journal, entry = tmp_path / "toy.journal", journal_of(finished)[0]
    change(entry)
    engine._append(journal, entry)
    with pytest.raises(ValueError, match=r"toy\.journal, line 1 must be the entry of a run"):
        engine._read_journal(journal)


def test_a_study_whose_folder_was_moved_leaves_its_successor_alone(tmp_path, here):
    place, successor = tmp_path / "results", b"another study's record"

    def move():
        place.rename(tmp_path / "moved")
        place.mkdir()
        (place / "toy.json").write_bytes(successor)
        (place / "toy.journal").write_bytes(successor)

    with pytest.MonkeyPatch.context() as patch:
        tasks = engine._run_tasks

        def after_move(*arguments):
            for number, entry in enumerate(tasks(*arguments)):
                if number == 1:
                    move()
                yield entry

        patch.setattr(engine, "_run_tasks", after_move)
        with pytest.raises(OSError, match=r"moved away or replaced meanwhile: .*results"):
            run(study(), place)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == {
        "toy.json": successor,
        "toy.journal": successor,
    }


def test_a_flipped_bit_of_a_journal_is_found_or_does_nothing(finished, tmp_path):
    journal, entry = tmp_path / "toy.journal", journal_of(finished)[0]
    engine._append(journal, entry)
    whole, same, told = journal.read_bytes(), 0, 0
    bits = range(0, 8 * (len(whole) - 1), 3)
    assert engine._read_journal(journal) == {entry["key"]: entry}
    for bit in bits:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        journal.write_bytes(damaged)
        try:
            assert engine._read_journal(journal) == {entry["key"]: entry}
        except ValueError as error:
            told += f"{journal}, line 1 must be" in str(error)
        else:
            same += 1
    assert same + told == len(bits)
    assert same < 0.05 * len(bits)


@pytest.fixture
def narrow():
    """A function that limits the size of every file to so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("where", ["journal", "json"])
def test_a_full_disk_is_reported_and_what_was_measured_is_kept(
    finished, tmp_path, here, narrow, where, monkeypatch
):
    length = len(json.dumps(journal_of(finished)[0])) + len(', "sha256": ""') + 64
    if where == "journal":
        narrow(3 * length + length // 2)
    else:

        def write_without_room(*arguments):
            narrow(100)
            write_record(*arguments)

        monkeypatch.setattr("resnet_lesson.studies.engine.write_record", write_without_room)
    remedy = rf"\(make room there or choose another place\): '.*toy\.{where}'"
    with pytest.raises(OSError, match=remedy):
        run(study(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["toy.journal"]
    kept = (tmp_path / "toy.journal").read_bytes().count(b"\n")
    assert kept == (3 if where == "journal" else 12)
    with pytest.raises(OSError, match=remedy):  # the disk is still full: nothing is lost
        run(study(), tmp_path)
    assert (tmp_path / "toy.journal").read_bytes().count(b"\n") == kept


def test_a_study_resumes_after_a_full_disk(finished, tmp_path, here, narrow):
    measured = []

    def measure(**settings):
        measured.append(settings)
        return toy_study.measure(**settings)

    narrow(5 * len(json.dumps(journal_of(finished)[0])))
    with pytest.raises(OSError, match=r"toy\.journal"):
        run(study(measure), tmp_path)
    narrow(resource.RLIM_INFINITY)
    kept = (tmp_path / "toy.journal").read_bytes().count(b"\n")
    del measured[:]
    run(study(measure), tmp_path)
    assert len(measured) == 12 - kept
    assert (tmp_path / "toy.json").read_bytes() == (finished / "toy.json").read_bytes()


def test_a_folder_may_begin_at_home(finished, tmp_path, here, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run(study(), "~/studies")
    assert [path.name for path in tmp_path.iterdir()] == ["studies"]
    assert len(studies.record("toy", "~/studies")) == len(read_record("~/studies/toy.json")) == 24


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"runs": [], "sha256": "x"}',
        b'{"study": "a", "command": "b", "date": "c", "versions": {}, "sha256": "x", "runs": [3]}',
    ],
)
def test_a_file_that_is_no_record_is_named(tmp_path, content):
    (tmp_path / "toy.json").write_bytes(content)
    for ask in (lambda: studies.record("toy", tmp_path), lambda: run(study(), tmp_path)):
        with pytest.raises(ValueError, match=r"toy\.json must be the record of a study") as raised:
            ask()
        assert "\n" not in str(raised.value)
    assert (tmp_path / "toy.json").read_bytes() == content


def journal_of(folder):
    from resnet_lesson.studies.engine import _read_entries

    return list(_read_entries(study(), folder / "toy.json").values())


def test_a_cluster_that_loses_a_worker_loses_no_run_and_counts_none_twice(tmp_path):
    from distributed import LocalCluster

    deadly = study(toy_study.deadly_measure, kinds=(str(tmp_path),))
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        record = run(deadly, tmp_path / "results", scheduler=cluster.scheduler_address)
    assert (tmp_path / "killed").exists()
    seen = [(run["size"], run["seed"], run["part"]) for run in record.runs]
    assert seen == [(size, seed, part) for size in (1, 2) for seed in (0, 1, 2) for part in (0, 1)]
    finished = (tmp_path / "finished").read_text(encoding="utf-8").splitlines()
    assert {*finished} == {f"{size} {seed}" for size in (1, 2) for seed in (0, 1, 2)}


def test_a_failure_is_raised_and_what_was_measured_is_kept(tmp_path, here):
    with pytest.raises(ArithmeticError, match="no answer for seed"):
        run(study(toy_study.failing_measure), tmp_path)
    assert not (tmp_path / "toy.json").exists()
    assert (tmp_path / "toy.journal").read_text(encoding="utf-8").count("\n") <= 6
    run(study(), tmp_path)
    assert read_record(tmp_path / "toy.json").runs == rows()


def test_runs_of_other_versions_are_not_mixed_in(folder, here):
    record = read_record(folder / "toy.json")
    record.about["versions"]["tensorflow"] = "1.0"
    write_record(folder / "toy.json", record)
    with pytest.raises(ValueError, match=r"one set of versions, received .*1\.0"):
        run(study(), folder, seeds=4)
    assert read_record(folder / "toy.json").runs == rows()


def test_a_journal_of_other_versions_is_noticed_before_any_run(folder, here):
    def must_not_run(**_):
        pytest.fail("a run was made")

    run_of_it = {"kind": "a", "size": 1, "seed": 3, "part": 0, "value": 1.0}
    entry = {"key": '[{"kind": "a", "size": 1}, 3]', "seed": 3, "date": "2026-01-01"}
    entry |= {"runs": [run_of_it]}
    line = json.dumps(entry | {"versions": {"tensorflow": "1.0"}}) + "\n"
    (folder / "toy.journal").write_text(line, encoding="utf-8")
    with pytest.raises(ValueError, match=r"one set of versions, received .*1\.0"):
        run(study(must_not_run), folder, seeds=4)


@pytest.mark.parametrize("place", ["value", "seed", "size"])
def test_a_record_changed_by_hand_is_refused(folder, place):
    content = json.loads((folder / "toy.json").read_text(encoding="utf-8"))
    content["runs"][3][place] += 1
    (folder / "toy.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="changed by hand"):
        studies.record("toy", folder)
    with pytest.raises(ValueError, match="changed by hand"):
        run(study(), folder)


def test_records_are_found_from_any_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (*studies.NAMES, "cifar10"):
        assert studies.record(name).about["study"] == name
    own = (folder / "toy.json").read_text(encoding="utf-8")
    (tmp_path / "results").mkdir()
    path = tmp_path / "results" / "orders.json"
    path.write_text(own, encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"orders\.json must be .* of orders, received that of toy"
    ):
        studies.record("orders")
    path.write_text(own.replace('"study": "toy"', '"study": "orders"'), encoding="utf-8")
    assert len(studies.record("orders")) == 24


def test_no_record_says_how_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="python -m resnet_lesson study toy makes it"):
        studies.record("toy", tmp_path)


def table():
    runs = [
        {"depth": depth, "kind": kind, "seed": seed, "score": depth + seed}
        for depth in (20, 8)
        for kind in "ab"
        for seed in (0, 1, 2)
    ]
    return Record(runs, {"study": "table"})


def test_a_table_is_chosen_from_and_sorted():
    record = table()
    assert len(record.where(kind="a")) == len(record.where(kind="a", depth=(8, 20))) == 6
    assert record.values("depth") == [20, 8]
    depths, scores = record.where(kind="b").band("score", by="depth")
    assert depths.tolist() == [8, 20]
    assert scores.tolist() == [[8, 9, 10], [20, 21, 22]]
    assert np.array_equal(record.where(kind="a", depth=8)["score"], [8, 9, 10])


def test_the_best_settings_have_the_highest_mean():
    assert table().best("score", "depth", "kind").runs == table().where(depth=20, kind="a").runs
    assert table().where(depth=8).best("score", "seed").values("seed") == [2]


def test_a_run_that_diverged_counts_as_zero():
    scores = {0.1: (0.9, 0.9, None), 0.01: (0.7, 0.6, 0.7), 0.001: (0.5, 0.5, 0.5)}
    rows = [
        {"rate": rate, "seed": seed, "score": score}
        for rate, of_rate in scores.items()
        for seed, score in enumerate(of_rate)
    ]
    assert Record(rows, {}).best("score", "rate").values("rate") == [0.01]


def test_a_table_refuses_what_it_does_not_have():
    with pytest.raises(ValueError, match=r"table must have a run to show, received \{'depth': 9\}"):
        table().where(depth=9)
    with pytest.raises(ValueError, match="one run for each depth and seed, received 12 runs"):
        table().band("score", by="depth")


def test_a_missing_measure_is_no_number():
    assert np.isnan(Record([{"score": None}, {}], {})["score"]).all()
    for mistyped in (lambda: table()["scor"], lambda: table().where(dept=8)):
        with pytest.raises(ValueError, match=r"of table must be one of .*score.*, received '"):
            mistyped()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "weather"], "study must be one of .*degradation.*, received 'weather'"),
        (["study", "orders", "--seeds", "0"], "--seeds must be .* from 1 to 1000, received 0"),
        (["study", "degradation", "--seeds", "many"], "--seeds must be .*, received 'many'"),
        (["study", "orders", "--seeds", "1" + 20 * "0"], "--seeds must be .*, received 1000000"),
        (["study", "orders", "--scheduler", "here"], "--scheduler must be an address .* 'here'"),
        (["study", "orders", "--output", ""], "--output must be a path, received ''"),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments, said, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([arguments[0], "--output", str(tmp_path), *arguments[1:]])
    assert stopped.value.code == 2
    complaint = " ".join(capsys.readouterr().err.split())
    assert re.search(said, complaint), complaint
    assert list(tmp_path.iterdir()) == []


def test_without_dask_a_scheduler_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install .*\[cluster\]"):
        run(study(), tmp_path, scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize("name", studies.NAMES)
def test_every_study_is_a_grid_with_one_set_of_settings(name):
    found = studies.study(name)
    assert found.name == name
    assert found.seeds >= 3
    assert len({tuple(configuration) for configuration in found.grid}) == 1
    assert len({json.dumps(configuration) for configuration in found.grid}) == len(found.grid)


@pytest.mark.parametrize("name", studies.NAMES)
def test_every_study_is_on_record_as_it_is_defined(name):
    """Whoever changes a grid makes the record again: this is what a rerun would find missing."""
    from resnet_lesson.studies.engine import _key, _read_entries

    found, path = studies.study(name), COMMITTED / f"{name}.json"
    entries = _read_entries(found, path)
    assert set(entries) == {_key(c, seed) for c in found.grid for seed in range(found.seeds)}
    assert path.stat().st_size < 500_000
    assert f"| `{name}` | {found.question} |" in (TESTS.parent / "README.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("initialisation", {"depth": 50, "activation": "relu"}),
        ("orders", {"part": "birth", "depth": 110}),
        ("near_identity", {"part": "growth", "depth": 56}),
        ("near_identity", {"part": "share", "depth": 20}),
        ("shattering", {"depth": 10}),
    ],
)
def test_what_is_on_record_is_what_the_code_measures(name, settings):
    """A run of each that takes no training, made again; another machine rounds otherwise."""
    found = studies.study(name)
    configuration = next(c for c in found.grid if settings.items() <= c.items())
    on_record = studies.record(name, COMMITTED).where(**configuration, seed=1).runs
    measured = found.measure(seed=1, **configuration)
    assert len(measured) == len(on_record)
    for line, row in zip(on_record, measured, strict=True):
        assert line.keys() == configuration.keys() | {"seed"} | row.keys()
        assert {name: line[name] for name in row} == pytest.approx(row, rel=1e-2, abs=1e-2)


def test_a_study_is_run_once_at_a_time(tmp_path, here):
    with (
        files.exclusive_lock(tmp_path / ".toy.lock", "test"),
        pytest.raises(ValueError, match=f"one run of toy in {re.escape(str(tmp_path))} at a time"),
    ):
        run(study(), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert run(study(), tmp_path).runs == rows()
    assert [path.name for path in tmp_path.iterdir()] == ["toy.json"]


@pytest.mark.parametrize("reader", ["head -c 1", "true"])
def test_a_study_ends_though_nobody_reads_on(tmp_path, reader):
    command = f"{sys.executable} {TESTS / 'toy_study.py'} {tmp_path} | {reader}"
    done = subprocess.run(
        ["bash", "-c", f"{command} >/dev/null; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(read_record(tmp_path / "toy.json")) == 2 * 2 * 2 * 8
