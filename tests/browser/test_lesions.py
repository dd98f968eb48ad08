"""The lesion explorer in a real browser, with no kernel behind it."""

import itertools

import axe
import lab as jupyter
import pytest
import standalone
from playwright.sync_api import expect
from test_lab import ask, complaints_of, run_all, settles
from test_page import THEMES, loaded, opened

from resnet_lesson import LesionExplorer


def made_up():
    """The record of a network of two classes that says ship more and more as modules go."""
    rows = []
    for number, bits in enumerate(itertools.product("01", repeat=4)):
        cats = 960 - 60 * number
        counts = {"right": [cats, 1000], "answers": [cats, 2000 - cats]}
        rows.append({"deleted": "".join(bits)} | counts)
    return {
        "modules": [f"stage{stage}_unit{unit}" for stage in (1, 2) for unit in (1, 2)],
        "class_names": ["cat", "ship"],
        "images": [1000, 1000],
        "without": rows,
    }


@pytest.fixture(scope="module")
def page_of_lesions(tmp_path_factory):
    path = tmp_path_factory.mktemp("lesions") / "index.html"
    return standalone.write(path, LesionExplorer(made_up()))


@pytest.fixture(scope="module")
def page_of_lessons_network(tmp_path_factory):
    return standalone.write(tmp_path_factory.mktemp("nine") / "index.html", LesionExplorer())


def test_modules_go_and_come_back_by_the_keys(chromium, page_of_lesions):
    with opened(chromium, page_of_lesions) as (page, asked):
        explorer = page.locator(".resnet-lesions")
        status = explorer.get_by_role("status")
        expect(status).to_have_text(
            "The whole network classifies 98.0 % of the 2,000 test images correctly. "
            "The answer is “ship” for 52.0 % of the images."
        )
        module = explorer.get_by_role("button", name="delete module 2 of stage 1")
        module.focus()
        page.keyboard.press("Space")
        expect(module).to_have_attribute("aria-pressed", "true")
        expect(module).to_be_focused()
        # The set 0100 is the fifth: 240 cats fewer.
        expect(status).to_contain_text(
            "Without module 2 of stage 1, the accuracy is 86.0 % instead of 98.0 %."
        )
        expect(explorer.get_by_role("row", name="cat")).to_contain_text("72.0 %")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(status).to_contain_text(
            "Without module 2 of stage 1 and module 2 of stage 2, the accuracy is 83.0 %"
        )
        module.press("Space")
        expect(status).to_contain_text("Without module 2 of stage 2, the accuracy is 95.0 %")
        explorer.get_by_role("button", name="Put all back").press("Enter")
        expect(status).to_contain_text("The whole network classifies 98.0 %")
        expect(module).to_have_attribute("aria-pressed", "false")
    assert loaded(asked, page_of_lesions) == []


def share(page, selector):
    """The widths of bars, as shares of those that they lie in."""
    return page.locator(selector).evaluate_all(
        "all => all.map(bar => bar.clientWidth / bar.parentElement.clientWidth)"
    )


def test_one_bar_shrinks_from_what_the_whole_network_knows(chromium, page_of_lesions):
    with opened(chromium, page_of_lesions, reduced_motion="reduce") as (page, _):
        page.get_by_role("button", name="delete module 1 of stage 1").click()  # 1000
        expect(page.locator(".left b")).to_have_text("Accuracy: 74.0 %")
        expect(page.locator(".left")).to_contain_text("whole network: 98.0 %")
        assert share(page, ".now") == pytest.approx([0.74], abs=0.01)
        assert share(page, ".whole") == pytest.approx([0.98], abs=0.01)
        # The classes' bars have the same scale, from 0 to 100 per cent, whatever is answered.
        assert share(page, ".chart .right") == pytest.approx([0.48, 1], abs=0.01)
        assert share(page, ".chart .answers") == pytest.approx([0.24, 0.76], abs=0.01)


def test_a_module_keeps_the_bar_of_its_own_lesion(chromium, page_of_lesions):
    with opened(chromium, page_of_lesions) as (page, _):
        kept = page.locator(".alone")
        assert kept.all_inner_texts() == ["", "", "", ""]
        first = page.get_by_role("button", name="delete module 1 of stage 1")
        second = page.get_by_role("button", name="delete module 2 of stage 1")
        first.click()
        second.click()  # both are gone: no bar of its own
        expect(kept.nth(0)).to_have_text("74")
        expect(kept.nth(1)).to_have_text("")
        first.click()
        expect(kept.nth(1)).to_have_text("86")
        page.get_by_role("button", name="Put all back").click()
        expect(kept.nth(0)).to_have_text("74")
        expect(page.locator(".gone")).to_have_count(0)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1300, 800, 400, 375, 320, 290])
def test_it_is_accessible_and_fits(chromium, page_of_lessons_network, theme, width):
    with opened(chromium, page_of_lessons_network, width, theme) as (page, _):
        page.get_by_role("button", name="delete module 1 of stage 2").click()
        expect(page.get_by_role("status")).to_contain_text("Without module 1 of stage 2")
        assert axe.violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        right = page.locator(".resnet-lesions *").evaluate_all(
            "all => Math.max(...all.map(one => one.getBoundingClientRect().right))"
        )
        assert right <= width
        # The wire is straight: all branches hang from one height.
        tops = page.locator(".branch").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().top)"
        )
        assert (len(tops), len(set(tops))) == (9, 1)
        cells = page.locator("thead th").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.outerHTML)"
        )
        assert cells == []
        for key in ("Accuracy", "Answers"):  # the key: over the numbers, beside the bars
            expect(page.get_by_role("columnheader", name=key)).to_be_visible()


@pytest.mark.parametrize("width", [1300, 800, 375, 320])
def test_nothing_moves_whatever_is_deleted(chromium, page_of_lessons_network, width):
    with opened(chromium, page_of_lessons_network, width) as (page, _):
        explorer = page.locator(".resnet-lesions")
        buttons = explorer.locator(".module button").all()
        height = explorer.bounding_box()["height"]
        for first, second in itertools.pairwise(buttons):
            for button in (first, second, first, second):
                button.press("Space")
                assert explorer.bounding_box()["height"] == height


@pytest.mark.parametrize("width", [1300, 320])
def test_a_network_that_knows_little_fits_as_well(chromium, tmp_path, width):
    record = made_up()
    for row in record["without"]:
        row["right"] = [0, 30]
    page_of_it = standalone.write(tmp_path / "little.html", LesionExplorer(record))
    with opened(chromium, page_of_it, width) as (page, _):
        left = page.locator(".resnet-lesions").bounding_box()["x"]
        for one in page.locator(".over > *").all():
            box = one.bounding_box()
            assert left < box["x"] < box["x"] + box["width"] <= width
        number, name = (one.bounding_box() for one in page.locator(".over > *").all())
        apart = number["y"] + number["height"] <= name["y"] + 1
        assert apart or number["x"] + number["width"] <= name["x"]


def test_in_jupyterlab_the_kernel_knows_what_was_deleted(chromium, lab):
    made = f"explorer = LesionExplorer({made_up()})"
    code = f"from resnet_lesson import LesionExplorer\n{made}\nexplorer"
    jupyter.write_notebook(lab, "lesions.ipynb", code)
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    complaints = complaints_of(page)
    assert run_all(page, lab, "lesions.ipynb")["errors"] == []
    page.get_by_role("button", name="delete module 2 of stage 2").press("Enter")
    settles(page, "print(explorer.deleted)", "['stage2_unit2']")
    # Shift + Enter runs the cell, and is no press.
    numbered = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").first
    before = numbered.inner_text()
    page.get_by_role("button", name="delete module 2 of stage 2").press("Shift+Enter")
    expect(numbered).not_to_have_text(before)
    settles(page, "print(explorer.deleted)", "[]")
    ask(page, "explorer.deleted = ['stage1_unit1']")
    expect(page.locator(".resnet-lesions [role=status]")).to_contain_text(
        "Without module 1 of stage 1"
    )
    assert complaints == []
    page.close()
