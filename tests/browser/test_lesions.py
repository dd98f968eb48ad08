"""The lesion explorer in a real browser, with no kernel behind it."""

import itertools

import axe
import lab as jupyter
import pytest
import standalone
from playwright.sync_api import expect
from test_lab import ask, complaints_of, run_all, settles
from test_page import THEMES, WIDTHS, loaded, opened

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


def test_modules_go_and_come_back_by_the_keys(chromium, page_of_lesions):
    with opened(chromium, page_of_lesions) as (page, asked):
        explorer = page.locator(".resnet-lesions")
        status = explorer.get_by_role("status")
        expect(status).to_have_text(
            "Whole: 98.0 % of 2,000 test images are told right. It says “ship” to 52.0 % of them."
        )
        module = explorer.get_by_role("button", name="delete module 2 of stage 1")
        module.focus()
        page.keyboard.press("Space")
        expect(module).to_have_attribute("aria-pressed", "true")
        expect(module).to_be_focused()
        # The set 0100 is the fifth: 240 cats fewer.
        expect(status).to_contain_text("Without stage 1, module 2: 86.0 % of 2,000 test images")
        expect(explorer.get_by_role("row", name="cat")).to_contain_text("720 of 1,000")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(status).to_contain_text("Without stage 1, module 2; stage 2, module 2: 83.0 %")
        module.press("Space")
        expect(status).to_contain_text("Without stage 2, module 2: 95.0 %")
        explorer.get_by_role("button", name="Put all back").press("Enter")
        expect(status).to_contain_text("Whole: 98.0 %")
        expect(module).to_have_attribute("aria-pressed", "false")
    assert loaded(asked) == [page_of_lesions.as_uri()]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_accessible_and_fits(chromium, page_of_lesions, theme, width):
    with opened(chromium, page_of_lesions, width, theme) as (page, _):
        page.get_by_role("button", name="delete module 1 of stage 2").click()
        expect(page.get_by_role("status")).to_contain_text("Without stage 2, module 1")
        assert axe.violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_in_jupyterlab_the_kernel_knows_what_was_deleted(chromium, lab):
    made = f"explorer = LesionExplorer({made_up()})"
    code = f"from resnet_lesson import LesionExplorer\n{made}\nexplorer"
    jupyter.write_notebook(lab, "lesions.ipynb", code)
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    complaints = complaints_of(page)
    assert run_all(page, lab, "lesions.ipynb")["errors"] == []
    page.get_by_role("button", name="delete module 2 of stage 2").press("Enter")
    settles(page, "print(explorer.deleted)", "['stage2_unit2']")
    ask(page, "explorer.deleted = ['stage1_unit1']")
    expect(page.locator(".resnet-lesions [role=status]")).to_contain_text(
        "Without stage 1, module 1"
    )
    assert complaints == []
    page.close()
