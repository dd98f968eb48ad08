"""Guesses as codes: there and back, and what the check notices.

What JavaScript makes of the same codes is held by guess_codes.json (test_shared.py).
"""

import itertools

import pytest
from test_shared import drawn_guesses

from resnet_lesson.widgets.explorer import guess_code, guesses
from resnet_lesson.widgets.explorer import widget as module

SETTING = {name: module.FIRST[name] for name in guesses.GUESSED}
CODE = "G4K2S-BAB5D"
ENCODED = [guess_code.encode(guess) for guess in itertools.islice(drawn_guesses(), 20)]


def test_a_code_that_was_given_out_is_read_for_ever():
    # What the explorer offers has changed, where this fails: then VERSION must, too.
    assert guess_code.read(CODE) == [{"setting": SETTING, "end": -12.5, "bend": 1.5}]


def test_a_guess_comes_back_from_its_code_to_a_tenth_of_a_decade():
    for guess in itertools.islice(drawn_guesses(), 1000):
        code = guess_code.encode(guess)
        [back] = guess_code.read(code)
        assert guesses.check(back)["setting"] == guess["setting"]
        for name in ("end", "bend"):
            assert back[name] == pytest.approx(guess[name], abs=0.05 + 1e-9)
        assert guess_code.encode(back) == code
        assert len(code) == len("GXXXX-XXXXX")


@pytest.mark.parametrize("name", ["end", "bend"])
@pytest.mark.parametrize("decades", [-45.1, 45.05, 1000])
def test_beyond_the_handles_there_is_no_code(name, decades):
    guess = {"setting": SETTING, "end": 0, "bend": 0, name: decades}
    with pytest.raises(ValueError, match=f"at most 45 decades, received .*{decades}"):
        guess_code.encode(guess)


def test_what_is_no_guess_has_no_code():
    with pytest.raises(ValueError, match="a guess must hold"):
        guess_code.encode({"setting": SETTING | {"depth": 201}, "end": 0, "bend": 0})


@pytest.mark.parametrize("place", range(10))
def test_any_one_wrong_symbol_is_noticed(place):
    for code in (whole.replace("-", "") for whole in ENCODED):
        for symbol in set(guess_code.SYMBOLS) - {code[place]}:
            with pytest.raises(ValueError, match="wrong symbol"):
                guess_code.decode(code[:place] + symbol + code[place + 1 :])


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(range(10), 2)))
def test_any_two_symbols_that_changed_places_are_noticed(one, other):
    for code in (list(whole.replace("-", "")) for whole in ENCODED):
        if code[one] != code[other]:
            code[one], code[other] = code[other], code[one]
            with pytest.raises(ValueError, match="changed places"):
                guess_code.decode("".join(code))


def test_what_looks_alike_is_read_alike():
    code = next(code for code in ENCODED if "0" in code and "1" in code)
    typed = code.lower().replace("0", "o")
    read = [typed.replace("1", letter).replace("-", " ") for letter in "iIlL"]
    assert guess_code.read(read) == 4 * [guess_code.decode(code)]


def test_a_wrong_column_is_told_by_its_first_lines():
    with pytest.raises(ValueError, match=r"^codes must hold one code a line\. Line 1 .+") as caught:
        guess_code.read(["hello"] * 300)
    assert str(caught.value).endswith("And 290 more lines.")
    assert len(str(caught.value)) < 1500
