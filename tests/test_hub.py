"""The arithmetic of the benchmark of a hub, and that the teachers' page says what it found."""

import importlib
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent
GB = 1e9


@pytest.fixture(scope="module")
def hub():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("hub")


@pytest.fixture
def measured():
    results = (ROOT / "benchmarks/results.json").read_text(encoding="utf-8")
    return json.loads(results)["hub"]


@pytest.mark.parametrize(("total", "kept"), [(8, 2), (24, 3.6), (100, 15)])
def test_a_share_or_two_gigabytes_stay_free(hub, total, kept):
    assert hub.reserve(total * GB) == pytest.approx(kept * GB)


@pytest.mark.parametrize(
    ("count", "free", "next_count"),
    [(1, 50, 2), (8, 50, 16), (16, 50, 30), (16, 21.5, 21), (16, 16.9, None), (30, 50, None)],
)
def test_kernels_double_up_to_what_fits_and_to_a_class(hub, count, free, next_count):
    assert hub.following(count, 1 * GB, free * GB) == next_count


def test_a_line_has_what_is_shared_and_what_each_adds(hub):
    counts = [1, 2, 4, 8]
    assert hub.line(counts, [0.3 + 0.5 * count for count in counts]) == pytest.approx((0.5, 0.3))
    assert hub.line([4], [2.0]) == (0.5, 0.0)


def test_what_processes_share_is_there_once(hub):
    assert hub.in_all([{"uss": 5, "rss": 8}, {"uss": 6, "rss": 8}]) == 5 + 6 + 3
    assert hub.in_all([]) == 0


def test_a_spread_is_the_median_and_the_worst(hub):
    assert hub.spread([4e6, 1e6, 2.04e6], hub.MB) == {"median": 2.0, "worst": 4.0}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has Pss")
def test_memory_is_read_from_the_system(hub):
    found = hub.memory(os.getpid())
    assert 0 < found["uss"] <= found["pss"] <= found["rss"]


def test_the_watch_knows_the_highest_and_stops_at_the_reserve(hub, monkeypatch):
    free = [10 * GB]
    state = lambda: SimpleNamespace(total=20 * GB, available=free[0])  # noqa: E731
    monkeypatch.setattr(hub.psutil, "virtual_memory", state)
    watch = hub.Watch([])
    watch.readings = [{1: {"pss": 5}}, {1: {"pss": 3}, 2: {"pss": 4}}]
    assert watch.highest("pss") == [5, 4]
    free[0] = 4 * GB
    assert watch.look() == 6 * GB
    free[0] = 2.9 * GB
    with pytest.raises(hub.NoRoomError, match=r"2\.9 GB are free, and 3\.0 stay free"):
        watch.look()


@pytest.mark.parametrize(("machine", "memory"), [(600, 30 * 0.6), (400, 0.3 + 30 * 0.5)])
def test_a_class_is_on_the_larger_line_and_each_has_a_server(hub, machine, memory):
    kernels = {
        str(count): {
            "together_gb": 0.3 + 0.5 * count,
            "peak_mb": {"machine": machine},
            "cpu_s": {"median": 12.0 + count},
        }
        for count in (1, 2)
    }
    server = {"pss_mb": {"median": 100.0}, "cpu_s": {"median": 6.0}}
    found = hub.derived(kernels, server)
    assert found["memory_gb"] == pytest.approx(memory + 30 * 0.1)
    assert found["cores"] == pytest.approx(30 * (14 + 6) / 300)
    assert hub.at_once(found, 4) == 150


def test_the_record_holds_what_was_derived(hub, measured):
    figures = measured["figures"]
    assert hub.derived(figures["kernels"], figures["server"]) == figures["derived"]
    assert [list(row) for row in hub.rows(figures)] == measured["rows"]


def test_the_teachers_page_says_what_was_measured(hub, measured):
    page = hub.PAGE.read_text(encoding="utf-8")
    begin, end = map(re.escape, hub.MARKS)
    (said,) = re.findall(rf"{begin}\n(.*)\n{end}", page, re.DOTALL)
    assert said == hub.told(measured)
