"""Guess mode on a page without a kernel: by keyboard, mouse and touch; what it says of a guess."""

import json

import axe
import bundle
import pytest
import standalone
from playwright.sync_api import expect
from test_page import THEMES, WIDTHS, drawn, laboratory, loaded, opened

from resnet_lesson import GradientExplorer
from resnet_lesson.widgets.explorer import guess_code, guesses
from resnet_lesson.widgets.explorer import widget as module

SETTING = {name: module.FIRST[name] for name in guesses.GUESSED} | {"depth": 21}
SCRIPT = bundle.script("explorer/guess.js", "explorer/verdict.js")


@pytest.fixture(scope="module")
def functions(chromium):
    """Call a function of the explorer's module by name."""
    page = chromium.new_page()
    page.goto("about:blank")

    def call(name, *arguments):
        return page.evaluate(
            f"(given) => {{ {SCRIPT}; return exported.{name}(...given); }}", list(arguments)
        )

    yield call
    page.close()


def curve(first, last=0.0, bend=0.0, depth=21):
    """Decades from layer 1 to the last, straight or bent, as the explorer holds a curve."""
    shares = [layer / (depth - 1) for layer in range(depth)]
    values = [first + (last - first) * t + 4 * bend * t * (1 - t) for t in shares]
    return {"layers": list(range(1, depth + 1)), "values": values}


ZEROS = {"layers": [1, 11, 21], "values": ["zero", -30.0, 0.0]}
OVER = {"layers": [1, 11, 21], "values": ["infinite", 30.0, 0.0]}
BELIEFS = [
    # guessed end and bend, what was measured, options, the words to be read
    (-1.0, 0.0, curve(-12.0), {}, "and 20 shares are multiplied"),
    (-40.0, 0.0, curve(-12.0), {}, "Something does: 10⁻¹² of it"),
    (-20.0, 0.0, ZEROS, {}, "below 10⁻⁴⁵ there is only zero"),
    (-3.0, 0.0, curve(5.0), {"normalization": True}, "BN keeps everything in bounds"),
    (0.0, 0.0, curve(3.0), {"shortcut": True, "normalization": True}, "+1 makes the gradient"),
    (-6.0, 0.0, curve(3.0), {}, "Here every layer hands on more than it was given"),
    (-9.0, 0.0, curve(0.2), {}, "Depth alone decides"),
    (-12.0, 4.0, curve(-12.0), {}, "every layer takes the same share"),
    (-12.5, 0.0, curve(-12.0), {}, "Your guess is within a factor of ten."),
    (2.0, 0.0, OVER, {}, ""),
    (4.0, 0.0, curve(0.0, 4.0), {"quantity": "signal"}, "Your guess is within"),
]


@pytest.mark.parametrize(("end", "bend", "found", "options", "words"), BELIEFS)
def test_the_belief_is_named(functions, end, bend, found, options, words):
    said = functions("verdict", {"end": end, "bend": bend}, found, SETTING | options)
    assert words in said if words else said == ""
    assert ("A common belief" in said) == ("“" in said)


def test_a_right_guess_misses_by_nothing(functions):
    for setting in (SETTING, SETTING | {"quantity": "signal"}):
        guess = {"end": -7.0, "bend": 2.5}
        # A curve starts from any height: a guess is of the way from there.
        drawn_curve = functions("guessCurve", guess, curve(-30.0, -30.0), setting)
        assert functions("missWords", guess, drawn_curve, setting) == "no miss"
        assert "within a factor of ten" in functions("verdict", guess, drawn_curve, setting)


def test_a_network_of_one_layer_can_be_guessed(functions):
    one = SETTING | {"depth": 1}
    found, guess = {"layers": [1], "values": [-2.0]}, {"end": -4, "bend": 0}
    assert functions("guessCurve", guess, found, one) == found
    assert functions("missWords", guess, found, one) == "a factor of 10⁴ off"


def handle(explorer, name="first layer"):
    return explorer.get_by_role("slider", name=f"Guess, {name}")


def start(page):
    explorer = laboratory(page)
    explorer.get_by_role("button", name="Guess first").click()
    expect(handle(explorer)).to_be_focused()
    return explorer


def value(explorer, name="first layer"):
    return float(handle(explorer, name).get_attribute("aria-valuenow"))


def test_by_keyboard_from_guess_to_verdict(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, asked):
        explorer = laboratory(page)
        explorer.get_by_role("button", name="Guess first").focus()
        page.keyboard.press("Enter")
        # Nothing but the line: the answer is nowhere to be read or seen, and nothing was guessed.
        # It is of the question that comes next, whose answer nobody has seen.
        expect(explorer.locator(".title")).to_have_text(
            "50 sigmoid layers, Glorot's weights: how much gradient reaches the first?"
        )
        expect(explorer.locator(".dots")).to_contain_text("question 1 of 8")
        expect(explorer.locator(".side")).to_be_hidden()
        expect(explorer.get_by_role("button", name="Save my guess")).to_be_hidden()
        assert "hands on" not in explorer.inner_text()
        assert explorer.locator(".curve.plain, .disc").count() == 0
        for key, expected in (
            *(("ArrowDown", -0.5), ("ArrowLeft", -1), ("ArrowUp", -0.5), ("ArrowRight", 0)),
            *(("PageDown", -5), ("PageUp", 0), ("Home", -45), ("End", 45), ("ArrowUp", 45)),
        ):
            page.keyboard.press(key)
            assert value(explorer) == expected
        page.keyboard.press("Tab")
        expect(handle(explorer, "half-way")).to_be_focused()
        page.keyboard.press("ArrowUp")
        assert value(explorer, "half-way") == 0.5
        expect(handle(explorer, "half-way")).to_have_attribute(
            "aria-valuetext", "0.5 powers of ten above the straight line"
        )
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Home")
        expect(explorer.locator(".said:visible")).to_contain_text("layer gets 10⁻⁴⁵ of what")
        explorer.get_by_role("button", name="Show what was measured").focus()
        page.keyboard.press("Enter")
        expect(explorer.locator(".grows-back")).to_have_count(1)
        expect(explorer.locator(".said b")).to_contain_text("is about 10⁻³¹ of that at the last")
        expect(explorer.locator(".miss")).to_contain_text("a factor of 10")
        expect(explorer.get_by_role("button", name="Next:")).to_be_focused()
        assert explorer.locator(".curve.plain, .curve.guess").count() == 2
        # Another network is no longer what was guessed.
        explorer.get_by_role("button", name="Explore freely").press("Enter")
        explorer.get_by_role("slider", name="Depth").press("ArrowRight")
        expect(explorer.locator(".miss")).to_have_count(0)
        explorer.get_by_role("slider", name="Depth").press("ArrowLeft")
        expect(explorer.locator(".miss")).to_have_count(1)
    assert loaded(asked, page_of_lesson) == []


def test_what_nobody_drew_is_no_guess(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        explorer = start(page)
        explorer.get_by_role("button", name="Show what was measured").click()
        expect(explorer.locator(".said:visible")).to_contain_text("10⁻³¹")
        expect(explorer.get_by_role("button", name="Save my guess")).to_be_hidden()
        expect(explorer.locator(".curve.guess, .miss")).to_have_count(0)


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("width", WIDTHS)
def test_by_mouse_and_by_touch_alike(chromium, page_of_lesson, width):
    reached = []
    for touch in (False, True):
        with opened(chromium, page_of_lesson, width, has_touch=touch) as (page, _):
            explorer = start(page)
            explorer.locator(".picture").evaluate("svg => svg.scrollIntoView({ block: 'center' })")
            x, y = middle(handle(explorer))
            if touch:
                session = page.context.new_cdp_session(page)
                for kind, points in (
                    ("touchStart", [{"x": x, "y": y}]),
                    ("touchMove", [{"x": x, "y": y + 60}]),
                    ("touchEnd", []),
                ):
                    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            else:
                page.mouse.move(x, y)
                page.mouse.down()
                page.mouse.move(x, y + 60)
                page.mouse.up()
            expect(handle(explorer)).not_to_have_attribute("aria-valuenow", "0")
            # The handle follows the finger, and the page stays where it is.
            assert middle(handle(explorer))[1] == pytest.approx(y + 60, abs=2)
            reached.append(value(explorer))
    assert reached[0] == pytest.approx(reached[1], abs=0.2)
    assert reached[0] < -5


def test_guesses_are_saved_and_a_class_is_opened(chromium, page_of_lesson, tmp_path):
    with opened(chromium, page_of_lesson) as (page, asked):
        explorer = start(page)
        saved = []
        for _ in range(2):
            handle(explorer).press("PageDown")
            with page.expect_download() as download:
                explorer.get_by_role("button", name="Save my guess").click()
            saved.append(tmp_path / download.value.suggested_filename)
            download.value.save_as(saved[-1])
        assert saved[0] != saved[1]
        assert sorted(guess["end"] for guess in guesses.read(tmp_path)) == [-10, -5]
        assert json.loads(saved[0].read_text(encoding="utf-8"))["setting"]["depth"] == 50

        explorer.get_by_role("button", name="Show what was measured").click()
        explorer.get_by_role("button", name="Explore freely").click()
        explorer.locator("summary", has_text="More").click()
        bad = tmp_path / "homework.json"
        bad.write_text("{}", encoding="utf-8")
        with page.expect_file_chooser() as chooser:
            explorer.get_by_role("button", name="Open guesses").click()
        chooser.value.set_files([*saved, bad])
        expect(explorer).to_contain_text(
            "2 opened guesses of what the first layer gets: from 10⁻¹⁰ to 10⁻⁵"
        )
        expect(explorer).to_contain_text("homework.json is no saved guess")
        assert explorer.locator(".curve.class").count() == 2
    assert loaded(asked, page_of_lesson) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_code_is_copied_and_a_class_is_pasted(chromium, tmp_path, width):
    path = standalone.write(tmp_path / "page.html", GradientExplorer(depth=50, hide=["questions"]))
    with opened(chromium, path, width, permissions=["clipboard-write"]) as (page, asked):
        explorer = page.locator(".resnet-explorer")
        explorer.get_by_role("button", name="Guess first").press("Enter")
        copy = explorer.get_by_role("button", name="Copy the code of my guess")
        expect(copy).to_be_hidden()  # nothing was guessed
        code, codes = explorer.locator(".coded > code"), []
        for _ in range(2):
            handle(explorer).press("PageDown")
            expect(explorer.get_by_role("status").filter(has_text="Copied.")).to_have_count(0)
            copy.press("Enter")
            expect(explorer.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
            codes.append(code.inner_text())
        assert [guess["end"] for guess in guess_code.read(codes)] == [-5, -10]
        code.click()
        assert page.evaluate("getSelection().toString().trim()") == codes[-1]
        # Where there is no clipboard, the code is selected.
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(0); }")
        page.evaluate("getSelection().empty()")
        copy.press("Space")
        expect(explorer.get_by_role("status").filter(has_text="Press Ctrl")).to_be_visible()
        assert page.evaluate("getSelection().toString()") == codes[-1]
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width

        explorer.get_by_role("button", name="Show what was measured").click()
        expect(code).to_have_text(codes[-1])
        explorer.get_by_role("button", name="Explore freely").press("Enter")
        explorer.locator("summary", has_text="More").press("Enter")
        field = explorer.get_by_role("textbox", name="Paste the codes of a class, one a line")
        field.fill(f'"Anna"\t{codes[0]}\n\nBea\tforgot\n{codes[1].lower()}\n')
        field.press("Tab")
        page.keyboard.press("Enter")  # the button behind it
        expect(explorer).to_contain_text(
            "2 opened guesses of what the first layer gets: from 10⁻¹⁰ to 10⁻⁵"
        )
        expect(explorer.locator(".note:visible")).to_contain_text(
            ["2 opened", "Line 3 has no code"]
        )
        assert explorer.locator(".curve.class").count() == 2
        assert axe.violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert loaded(asked, path) == []


@pytest.mark.parametrize("theme", THEMES)
def test_guess_mode_keeps_nobody_out(chromium, page_of_lesson, theme):
    with opened(chromium, page_of_lesson, 375, theme) as (page, _):
        explorer = start(page)
        handle(explorer).press("PageDown")
        assert axe.violations(page) == []
        box = handle(explorer).bounding_box()
        assert min(box["width"], box["height"]) >= 24
        explorer.get_by_role("button", name="Show what was measured").click()
        assert axe.violations(page) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 375
        assert drawn(explorer)
