"""What the README says of `make stress` is on record, and all on record ended well."""

import re
from pathlib import Path

import kills
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
NAMES = ("training", "training_signals", "study", "study_signals")


def test_the_readme_counts_what_is_on_record():
    counted = re.search(
        r"kills a training and a study (\d+) times each and sends (\d+) signals to each, at random "
        r"moments and in the midst of saving\..* these (\d+) ends",
        " ".join(README.split()),
    )
    assert counted
    each, signals, ends = counted.groups()
    found = {name: len(kills.record(name)["kills"]) for name in NAMES}
    expected = {name: int(signals if "signals" in name else each) for name in NAMES}
    assert found == expected
    assert sum(found.values()) == int(ends)
    assert sorted(path.stem for path in kills.RECORDS.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_all_on_record_ended_as_if_never_stopped(name):
    record = kills.record(name)
    assert record["ended_bit_for_bit_as_if_never_stopped"] is True
    assert record.keys() >= {"command", "date", "hardware", "versions"}
    ends = record["kills"]
    if "signals" in name:
        assert {end["exit_code"] for end in ends} <= {0, 130, 143}
        assert {(end["signal"], end["to"]) for end in ends} == {
            (signal, to) for signal in ("SIGINT", "SIGTERM") for to in ("process", "group")
        }
    else:
        moments = [end["moment"] for end in ends]
        assert {moments.count(each) for each in moments} <= {6, 7}
        assert set(moments) == {"in writing", "just written", "any time"}
