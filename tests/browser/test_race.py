"""The race in a page of its own: a plain and a residual network learn before the reader's eyes."""

import re

import axe
import pytest
from playwright.sync_api import expect

from resnet_lesson.widgets import frontend

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>race</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="bundle.css">
<main id="race"></main><script type="module">
import race from "./bundle.js";
const traits = { depth: 30, rate: 0.03, warmup: 0, seed: 0 };
const model = { get: (name) => traits[name], set: (name, value) => { traits[name] = value; } };
for (const name of ["on", "off"]) model[name] = () => {};
race.render({ model, el: document.getElementById("race") });
</script></html>"""


ADDRESS = "http://lesson.test/"


def answer(route):
    """The page, and its bundle beside it."""
    name = route.request.url.removeprefix(ADDRESS)
    if name:
        route.fulfill(path=frontend.FOLDER / "race" / name)
    else:
        route.fulfill(body=PAGE, content_type="text/html; charset=utf-8")


def opened(chromium, **options):
    page = chromium.new_page(**options)
    page.route("**/*", answer)
    page.goto(ADDRESS)
    return page


@pytest.fixture
def race(chromium):
    """The race in a page that must complain of nothing."""
    page = opened(chromium, viewport={"width": 1000, "height": 900})
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text))
    page.reload()
    yield page
    page.close()
    assert complaints == []


def shares(page):
    """Per cent wrong, of the plain and of the residual network."""
    said = page.locator(".said").first.text_content()
    return [float(share) for share in re.findall(r"([\d.]+) %", said)]


def test_the_plain_network_fails_and_the_residual_one_learns(race):
    race.get_by_role("button", name="Start").click()
    expect(race.get_by_role("button", name="Start again")).to_be_visible(timeout=60_000)
    plain, residual = shares(race)
    assert plain > 25
    assert residual < 2
    expect(race.get_by_role("status")).to_contain_text("fails on the very digits")
    expect(race.get_by_role("img").first).to_have_attribute("aria-label", re.compile("600 steps"))


def test_two_layers_learn_both_ways_and_by_the_keyboard(race):
    depth = race.get_by_role("slider", name="Layers")
    depth.press("Home")
    expect(depth).to_have_attribute("aria-valuetext", "2")
    race.keyboard.press("Shift+Tab")
    race.get_by_role("button", name="Start").press("Enter")
    expect(race.get_by_role("button", name="Start again")).to_be_visible(timeout=60_000)
    assert max(shares(race)) < 3
    expect(race.get_by_role("status")).to_contain_text("Both have learned")


def test_pause_holds_it_and_a_slider_starts_it_anew(race):
    race.get_by_role("button", name="Start").click()
    said = race.locator(".said").first
    expect(said).to_contain_text(re.compile("After \\d{3} steps"))
    race.get_by_role("button", name="Pause").click()
    race.wait_for_timeout(300)
    held = said.text_content()
    race.wait_for_timeout(300)
    assert said.text_content() == held
    race.get_by_role("button", name="Go on").click()
    expect(said).not_to_have_text(held)
    race.get_by_role("slider", name="Layers").press("ArrowLeft")
    expect(said).to_contain_text(re.compile("After \\d{1,2} steps"))
    expect(race.get_by_role("button", name="Pause")).to_be_visible()


def test_stop_keeps_what_was_drawn_and_the_next_start_begins_anew(race):
    race.get_by_role("button", name="Start").click()
    said = race.locator(".said").first
    expect(said).to_contain_text(re.compile("After \\d{3} steps"))
    race.get_by_role("button", name="Stop").press("Enter")
    again = race.get_by_role("button", name="Start again")
    expect(again).to_be_focused()
    expect(race.get_by_role("button", name="Stop")).to_be_hidden()
    race.wait_for_timeout(300)
    held = said.text_content()
    race.wait_for_timeout(300)
    assert said.text_content() == held
    again.press("Enter")
    expect(said).to_contain_text(re.compile("After \\d{1,2} steps"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_amiss_on_a_phone(chromium, scheme):
    page = opened(chromium, viewport={"width": 375, "height": 800}, color_scheme=scheme)
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".said").first).to_contain_text("After")
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert axe.violations(page) == []
    page.close()
