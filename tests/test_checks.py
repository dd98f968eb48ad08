"""Checks of arguments: what passes and as what, and the exact message of each refusal."""

import re
from fractions import Fraction

import numpy as np
import pytest

from resnet_lesson.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_number,
    check_rule,
)

NAN, INFINITE = float("nan"), float("inf")


def refused(check, message, *arguments, **bounds):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check("x", *arguments, **bounds)


@pytest.mark.parametrize("value", [1, 7, 10**30, np.int64(7), np.uint8(255), np.int16(3)])
def test_an_integer_of_numpy_is_one_and_comes_back_as_an_int(value):
    assert check_integer("x", value) == value
    assert type(check_integer("x", value)) is int


@pytest.mark.parametrize(
    "value",
    [0, -1, True, False, np.True_, 1.0, np.float64(2), NAN, "1", None, (1,), np.array([1]), 1j],
    ids=repr,
)
def test_what_is_no_positive_integer_is_refused(value):
    refused(check_integer, f"x must be a positive integer, received {value!r}", value)


@pytest.mark.parametrize("value", [2, 3, np.int32(4), np.uint8(2)])
def test_bounds_of_an_integer_are_allowed_themselves(value):
    assert check_integer("x", value, 2, 4) == value


@pytest.mark.parametrize("value", [1, 5, np.int64(5), True, 3.0, NAN, "3", None])
def test_an_integer_beyond_its_bounds_is_refused(value):
    message = f"x must be a whole number from 2 to 4, received {value!r}"
    refused(check_integer, message, value, 2, 4)
    if value != 5:
        message = f"x must be a whole number of at least 2, received {value!r}"
        refused(check_integer, message, value, 2)


def test_zero_is_an_integer_where_it_may_be_but_false_is_not():
    assert check_integer("x", 0, 0) == 0
    assert check_integer("x", np.int8(-3), -3) == -3
    refused(check_integer, "x must be a whole number of at least 0, received False", False, 0)
    refused(check_integer, "x must be a whole number from 1 to 9, received 0", 0, 1, 9)


@pytest.mark.parametrize("value", [0, 0.0, -0.0, 2, 0.25, np.float32(0.5), np.int64(3), 1e38])
def test_a_number_comes_back_as_a_float(value):
    assert check_number("x", value) == value
    assert type(check_number("x", value)) is float


def test_a_fraction_is_a_number():
    assert check_number("x", Fraction(1, 4)) == 0.25


@pytest.mark.parametrize(
    "value",
    [-1e-9, -1, NAN, INFINITE, -INFINITE, np.float32("nan"), True, np.True_, "1", None, 1j, [1.0]],
    ids=repr,
)
def test_what_is_no_finite_number_of_at_least_0_is_refused(value):
    refused(check_number, f"x must be a number of at least 0, received {value!r}", value)


def test_an_integer_that_no_float_holds_is_refused():
    shown = f"1{'0' * 17}...{'0' * 19}"
    refused(check_number, f"x must be a number of at least 0, received {shown}", 10**400)


CYCLE: list = []
CYCLE.append(CYCLE)
DEEP: list = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value",
    [10**5000, [10**5000], "x" * 10**6, ["x" * 99] * 99, np.ones((9, 9)), CYCLE, DEEP],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_is_long_or_deep_is_shown_in_part_and_on_one_line(value):
    with pytest.raises(ValueError, match=r"^x must be True or False, received ") as refused:
        check_flag("x", value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_number_keeps_its_bounds_in_float32():
    rule = "x must be a number above 0, rounded to float32 as well, received"
    assert check_number("x", 1e-45, above=0) == 1e-45  # it becomes the smallest that float32 has
    for value in (1e-46, 4e38):
        refused(check_number, f"{rule} {value}", value, above=0)
    rule = "x must be a number of at least 0 and less than 1, rounded to float32 as well, received"
    assert check_number("x", 1 - 2**-24, below=1) == 1 - 2**-24
    refused(check_number, f"{rule} 0.9999999999", 0.9999999999, below=1)
    assert check_number("x", 1e-46) == 1e-46  # 0 is allowed


@pytest.mark.parametrize("value", [0, 1, -1, 1.5, NAN, INFINITE, False, "0.5", None])
def test_bounds_of_a_number_are_not_allowed_themselves(value):
    assert check_number("x", 0.5, above=0, below=1) == 0.5
    message = f"x must be a number above 0 and less than 1, received {value!r}"
    refused(check_number, message, value, above=0, below=1)


def test_a_number_may_have_one_bound():
    assert check_number("x", 0, below=1) == 0
    message = "x must be a number of at least 0 and less than 1, received"
    refused(check_number, f"{message} 1", 1, below=1)
    refused(check_number, f"{message} -0.5", -0.5, below=1)
    assert check_number("x", 5, above=0.5) == 5
    for value in (0.5, NAN, INFINITE):
        message = f"x must be a number above 0.5, received {value!r}"
        refused(check_number, message, value, above=0.5)


@pytest.mark.parametrize("value", [1, 0, None, "True", np.True_, np.False_, [], 1.0], ids=repr)
def test_only_true_and_false_are_flags(value):
    assert [check_flag("x", flag) for flag in (True, False)] == [True, False]
    refused(check_flag, f"x must be True or False, received {value!r}", value)


@pytest.mark.parametrize("value", ["", "A", "ab", None, 0, ("a",), ["a"], np.array(["a"]), b"a"])
def test_what_is_no_choice_is_refused(value):
    assert [check_choice("x", choice, ("a", "b")) for choice in ("a", "b")] == ["a", "b"]
    refused(check_choice, f"x must be one of a, b, received {value!r}", value, ("a", "b"))


def test_choices_may_be_keys_or_come_one_by_one():
    assert check_choice("x", "b", {"a": 1, "b": 2}) == "b"
    assert check_choice("x", "b", (choice for choice in "abc")) == "b"
    refused(check_choice, "x must be one of a, b, c, received 'd'", "d", iter("abc"))


def test_a_rule_that_does_not_hold_is_named_with_a_part_of_a_long_value():
    check_rule("x", [], "be a list", True)
    refused(check_rule, "x must be a list, received 7", 7, "be a list", False)
    with pytest.raises(ValueError, match=r"^x must be short, received \[0, 1, .*\.\.\.\]$"):
        check_rule("x", list(range(10_000)), "be short", False)
