"""Every claim of the lesson holds, and fails where its record is turned round."""

import copy
import itertools
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from claims import CLAIMS, claim, main
from comparison import Comparison, Runs, table

from resnet_lesson.studies.record import Record

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
COMPARISONS = {
    f"{notebook[:2]}.{number}.{place}": comparison
    for notebook, claims in CLAIMS.items()
    for number, claim in enumerate(claims, start=1)
    for place, comparison in enumerate(claim.comparisons, start=1)
}
EACH = pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)


def turned(comparison):
    """The tables with what the two sides measured exchanged, or mirrored at the number.

    Where the best of several settings is compared, all of these get the new values.
    """
    sides = [side for side in (comparison.more, comparison.less) if isinstance(side, Runs)]
    tables = {side.table: copy.deepcopy(table(side.table)) for side in sides}.__getitem__
    values = [[row[side.measure] for row in side.rows(tables)] for side in sides]
    if len(sides) == 2:
        values.reverse()
    else:
        number = comparison.less if sides[0] is comparison.more else comparison.more
        wrong_side = -1 if sides[0] is comparison.more else 1
        values = [[2 * number - v if v != number else number + wrong_side for v in values[0]]]
    found = [replace(side, best_of=None).rows(tables) for side in sides]
    for side, rows, new in zip(sides, found, values, strict=True):
        for row, value in zip(rows, itertools.cycle(new), strict=False):
            row[side.measure] = value
            if side.best_of:
                row[side.best_of] = 1 - value / 100
    return tables


@EACH
def test_a_claim_holds(comparison):
    assert comparison.holds(table), comparison.told(table)


@EACH
def test_turned_round_it_fails(comparison):
    assert not comparison.holds(turned(comparison))


BOUNDS = {
    place: comparison
    for place, comparison in COMPARISONS.items()
    if not all(isinstance(side, Runs) for side in (comparison.more, comparison.less))
}


@pytest.mark.parametrize("comparison", BOUNDS.values(), ids=BOUNDS)
def test_another_network_of_the_record_is_beyond_the_bound(comparison):
    """Or the number would be one that nothing ever passes."""
    upper = isinstance(comparison.less, Runs)
    side, bound = (
        (comparison.less, comparison.more) if upper else (comparison.more, comparison.less)
    )
    rows = table(side.table).runs
    measured = [row[side.measure] for row in rows if row.get(side.measure) is not None]
    assert max(measured) >= bound if upper else min(measured) <= bound


@pytest.mark.parametrize("notebook", CLAIMS)
def test_take_along_is_claims_word_for_word(notebook):
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    (section,) = [cell.source for cell in cells if cell.source.startswith("## Take along")]
    points = [" ".join(point.split()) for point in re.split(r"^- ", section, flags=re.MULTILINE)]
    assert points[0] == "## Take along"
    assert len(points[1:]) >= 3
    assert set(points[1:]) <= {claim.words for claim in CLAIMS[notebook]}


def test_every_notebook_has_claims():
    assert sorted(CLAIMS) == sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


ROWS = [
    {"kind": kind, "learning_rate": rate, "seed": seed, "error": error, "accuracy": 1 - error / 100}
    for kind, rate, seed, error in [
        *[("one", 1, 0, 5.0), ("one", 1, 1, 9.0), ("one", 2, 0, 2.0), ("one", 2, 1, 3.0)],
        *[("two", 1, 0, 4.0), ("two", 1, 1, 6.0), ("two", 2, 0, 1.0), ("two", 2, 1, 2.5)],
    ]
]
ONE, TWO = (Runs("made", "error", {"kind": kind}) for kind in ("one", "two"))
MADE = Record(ROWS, {"study": "made"})


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (Comparison(ONE, TWO), False),  # 2 against 6
        (Comparison(ONE, TWO, per=("learning_rate", "seed")), True),
        (Comparison(ONE, TWO, per=("learning_rate",)), False),  # 5 against 6 at the first rate
        (Comparison(ONE, TWO, by=0.5, per=("learning_rate", "seed")), True),
        (Comparison(ONE, TWO, by=0.6, per=("learning_rate", "seed")), False),
        (Comparison(ONE, TWO, times=1.2, per=("learning_rate", "seed")), True),
        (Comparison(ONE, TWO, times=1.3, per=("learning_rate", "seed")), False),
        (Comparison(ONE.at_best(), 2), True),
        (Comparison(3, ONE.at_best()), True),
        (Comparison(ONE, 2.5), False),
        (Comparison(9, ONE), True),
        (Comparison(8, ONE), False),
    ],
)
def test_the_nearest_rows_decide(comparison, expected):
    assert comparison.holds(lambda name: MADE) == expected


def test_a_claim_without_runs_is_no_claim():
    with pytest.raises(ValueError, match=r"made must have a run to show, received .*three"):
        Comparison(Runs("made", "error", {"kind": "three"}), 1).holds(lambda name: MADE)
    without = Record([{"kind": "one", "error": 1.0}, {"kind": "two"}], MADE.about)
    with pytest.raises(ValueError, match=r"every run must have error, received .*two"):
        Comparison(TWO, 1).holds(lambda name: without)
    either = Runs("made", "error", {"kind": ("one", "three")})
    with pytest.raises(ValueError, match=r"no run has kind .*three"):
        Comparison(either, 1).holds(lambda name: MADE)
    with pytest.raises(AssertionError, match="nothing holds this claim: Depth"):
        claim("Depth is all.")


def test_sides_without_a_common_seed_are_not_compared():
    rows = Record([row for row in ROWS if (row["kind"], row["seed"]) != ("two", 1)], MADE.about)
    with pytest.raises(ValueError, match="must have the same"):
        Comparison(ONE, TWO, per=("seed",)).holds(lambda name: rows)


def test_the_list_can_be_read_aloud(capsys):
    assert main() == 0
    said = " ".join(capsys.readouterr().out.split())
    for one in itertools.chain.from_iterable(CLAIMS.values()):
        assert one.words in said
    assert "FAILS" not in said
