"""The numbers stated about the full training are those of its record."""

import re
from pathlib import Path

import pytest

from resnet_lesson import pretrained, studies
from resnet_lesson.studies.record import COMMITTED
from resnet_lesson.training import PRESETS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FAST = PRESETS["cifar10-fast"]
SETTINGS = ("batch_size", "learning_rate", "weight_decay", "padding")


@pytest.fixture(scope="module")
def ends():
    """The last row of each run."""
    rows = studies.record("cifar10", COMMITTED).runs
    return [row for row in rows if row["epoch"] == row["epochs"]]


def error(row):
    return f"{100 * (1 - row['test_accuracy']):.2f}"


def is_fast(row):
    return all(row[name] == getattr(FAST, name) for name in (*SETTINGS, "epochs"))


def test_the_readme_has_the_errors_of_the_record(ends):
    found = {(row["network"], row["depth"]): error(row) for row in filter(is_fast, ends)}
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", README, re.MULTILINE)
    stated = {("residual", int(depth)): one for depth, one, _ in rows}
    stated |= {("plain", int(depth)): other for depth, _, other in rows}
    assert len(found) == 6
    assert stated == found


def test_the_recipe_is_as_good_as_the_others_that_were_tried(ends):
    others = [row for row in ends if row["epochs"] == FAST.epochs and not is_fast(row)]
    least, most = (pick(map(error, others), key=float) for pick in (min, max))
    assert (len(others), f"{least} and {most}") == (6, "11.82 and 12.73")
    assert f"{least} and {most}" in " ".join(README.split())
    alike = (others[0]["network"], others[0]["depth"])
    (fast,) = (row for row in filter(is_fast, ends) if (row["network"], row["depth"]) == alike)
    assert float(error(fast)) - float(least) < 0.2


def test_every_epoch_of_every_run_is_there():
    rows = studies.record("cifar10", COMMITTED).runs
    named = ("network", "depth", "seed", "epochs", *SETTINGS)
    runs = {}
    for row in rows:
        runs.setdefault(tuple(row[name] for name in named), []).append(row["epoch"])
    for run, epochs in runs.items():
        assert epochs == list(range(1, run[named.index("epochs")] + 1))


def test_the_trained_network_is_the_long_run_of_the_record(ends):
    record = pretrained.load().record
    (long,) = (row for row in ends if row["epochs"] == record["config"]["epochs"])
    assert long["test_accuracy"] == record["test_accuracy"]
    assert all(long[name] == record["config"][name] for name in ("depth", "seed", *SETTINGS))
    assert f"{100 * record['float16_test_accuracy']:.1f} % of the test images" in README
