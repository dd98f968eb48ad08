"""Numbers in feedback and on axes are written as one reads them."""

import pytest

from resnet_lesson.exercises import answers
from resnet_lesson.output import plain, power


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (1, "1"),
        (138.4, "140"),
        (0.00704, "0.007"),
        (-0.25, "-0.25"),
        (48_000, "48,000"),
        (999.6, "1,000"),
        (9.96, "10"),
        (2.1e-12, "2.1·10⁻¹²"),
        (1e30, "10³⁰"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_is_plain(value, written):
    assert plain(value) == written


def test_more_digits_can_be_asked_for():
    assert (plain(0.23456, 3), plain(163.84, 5)) == ("0.235", "163.84")


@pytest.mark.parametrize(
    ("value", "written"), [(1e-10, "10⁻¹⁰"), (1, "1"), (10, "10"), (5e-7, "5·10⁻⁷"), (1e4, "10⁴")]
)
def test_a_power_has_raised_digits(value, written):
    assert power(value) == written


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (190.3, "grows to about 190 times its size"),
        (0.0071, "shrinks to 0.0071 of its size"),
        (1.1, "keeps its size"),
        (0.9, "keeps its size"),
        (float("inf"), "leaves the range of numbers"),
    ],
)
def test_what_becomes_of_a_size_has_a_direction(times, words):
    assert answers.change(times) == words
