"""The exported page in a real browser: from a file, offline, with no kernel."""

import contextlib
import json

import axe
import build_site
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import expect

THEMES, WIDTHS = ("light", "dark"), (1280, 375)
# Each in turn by a real key; "More" opens before what it hides.
CONTROLS = (
    ("slider", "Depth", "End"),
    ("combobox", "Activation", "ArrowDown"),
    ("checkbox", "Shortcut", "Space"),
    ("combobox", "Initialiser", "ArrowUp"),
    ("checkbox", "Batch normalisation", "Space"),
    ("combobox", "Show", "ArrowDown"),
    ("combobox", "Order", "ArrowUp"),
    ("combobox", "Kind", "ArrowDown"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page of the first notebook, beside the others."""
    folder = tmp_path_factory.mktemp("site")
    build_site.main(folder)
    return folder / "index.html"


@contextlib.contextmanager
def opened(chromium, path, width=1280, theme="light", **options):
    """The page of a file, and what it asked for or complained of."""
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, offline=True, **options
    )
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(str(error)))
    page.on("console", lambda said: asked.append(said.text))
    page.goto(path.as_uri())
    yield page, asked
    context.close()


def loaded(asked):
    """Without what the page carries in itself."""
    return [line for line in asked if not line.startswith(("blob:", "data:"))]


def laboratory(page):
    """The explorer that opens with the answer; the one before it waits for a guess."""
    expect(page.locator(".resnet-explorer")).to_have_count(3)  # all have come alive
    return page.locator(".resnet-explorer").nth(1)


def drawn(explorer):
    return explorer.locator(".picture").evaluate_all("all => all.map(svg => svg.outerHTML).join()")


def test_the_explorer_comes_alive_and_asks_for_nothing(chromium, site):
    with opened(chromium, site) as (page, asked):
        explorer = laboratory(page)
        expect(explorer.get_by_label("Depth", exact=True)).to_have_value("20")
        expect(explorer.locator("[role=status]").first).to_contain_text("sigmoid")
        assert drawn(explorer)
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(300)
    assert loaded(asked) == [site.as_uri()]


def test_its_controls_change_the_picture_without_a_kernel(chromium, site):
    with opened(chromium, site) as (page, asked):
        explorer = laboratory(page)
        status = explorer.locator("[role=status]").first
        explorer.locator("summary").press("Enter")
        for role, name, key in CONTROLS:
            words, picture = status.inner_text(), drawn(explorer)
            control = explorer.get_by_role(role, name=name, exact=True)
            control.focus()
            page.keyboard.press(key)
            expect(status).not_to_have_text(words)
            assert drawn(explorer) != picture
            expect(control).to_be_focused()
        expect(status).to_contain_text("200")
        expect(explorer.get_by_role("button", name="Redraw weights")).to_be_disabled()
        assert axe.violations(page) == []
    assert loaded(asked) == [site.as_uri()]


def test_what_was_not_recorded_moves_to_the_nearest_that_was(chromium, site):
    with opened(chromium, site) as (page, _):
        explorer = laboratory(page)
        explorer.locator("summary").press("Enter")
        explorer.get_by_role("combobox", name="Kind").select_option("basic")
        # The kind was asked for, so it stays; modules were computed for ReLU and He's weights.
        expect(explorer.locator("[role=status]")).to_contain_text(
            "20 relu basic modules, he weights"
        )
        expect(explorer.locator(".note")).to_contain_text(
            "This one only with activation relu and initialiser he."
        )
        expect(explorer.get_by_role("combobox", name="Activation")).to_have_value("relu")


def test_questions_pin_what_was_before_on_an_axis_that_stays(chromium, site):
    with opened(chromium, site) as (page, _):
        explorer = laboratory(page)
        asked = explorer.get_by_role("group", name="Questions").get_by_role("button")
        axes, pins = set(), explorer.get_by_role("list", name="Pinned curves")
        for count in range(asked.count()):
            asked.nth(count).press("Enter")
            expect(pins.get_by_role("listitem")).to_have_count(count)
            assert explorer.locator(".curve").count() == count + 1
            axes.add("".join(explorer.locator(".picture text").all_text_contents()))
        assert len(axes) == 1
        first = pins.get_by_role("button").first
        assert first.get_attribute("aria-label") == "remove 50 sigmoid layers, glorot weights"
        first.press("Enter")
        expect(pins.get_by_role("listitem")).to_have_count(asked.count() - 2)
        # The focus goes on to the next one, not back to the top of the page.
        expect(pins.get_by_role("button").first).to_be_focused()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_keeps_nobody_out(chromium, site, theme, width):
    with opened(chromium, site, width, theme) as (page, _):
        expect(laboratory(page)).to_be_visible()
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        red = int(background.removeprefix("rgb(").split(",")[0])
        assert (red < 64) == (theme == "dark")
        assert axe.violations(page) == []


@pytest.mark.parametrize("address", list(build_site.PAGES.values())[1:])
def test_the_other_pages_come_alive_too(chromium, site, address):
    path = site.parent / address
    with opened(chromium, path, 375) as (page, asked):
        widgets = page.locator("[data-widget]")
        for index in range(widgets.count()):
            expect(widgets.nth(index).locator("img")).to_have_count(0)  # the stand-in has gone
            expect(widgets.nth(index).get_by_role("status").first).not_to_be_empty()
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 375
        assert axe.violations(page) == []
    assert loaded(asked) == [path.as_uri()]


def test_what_is_planted_is_seen(chromium, site, tmp_path):
    planted, address = tmp_path / "planted.html", "https://example.invalid/pixel.png"
    traps = (
        "<button></button>",
        '<p style="color: #999; background: #aaa">hard to read</p>',
        f'<img alt="" src="{address}">',
    )
    planted.write_text(
        site.read_text(encoding="utf-8").replace("</main>", "".join(traps) + "</main>"),
        encoding="utf-8",
    )
    with opened(chromium, planted) as (page, asked):
        rules = {line.split(":")[0] for line in axe.violations(page)}
    assert rules == {"button-name", "color-contrast"}
    assert address in loaded(asked)


def test_without_scripts_its_picture_stands_in(chromium, site):
    with opened(chromium, site, java_script_enabled=False) as (page, _):
        picture = page.locator("[data-widget] img").nth(1)
        expect(picture).to_be_visible()
        assert "sigmoid" in picture.get_attribute("alt")


PROBE = """export default {
  initialize({ model }) { model.set("views", 0); },
  render({ model, el }) {
    const heard = [], hear = (_, value) => heard.push(value), any = () => heard.push("any");
    const count = model.get("views");
    model.on("change:views", hear);
    model.on("change", any);
    model.set("views", count); // no change, no event
    model.set("views", count + 1);
    model.off("change:views", hear);
    model.set("views", [count + 1]);
    model.off();
    model.set("views", count + 1);
    model.save_changes();
    model.send({ kind: "hello" });
    el.textContent = JSON.stringify({ heard, note: model.get("note") });
  },
};"""


def test_a_widget_finds_the_model_it_expects(chromium, tmp_path):
    view = {build_site.VIEW: {"model_id": "abc"}, "image/png": "AAAA", "text/plain": "a probe"}
    twice = [new_output("display_data", data=dict(view)) for _ in range(2)]
    traits = {"_esm": PROBE, "_css": "[data-widget] { color: rgb(1, 2, 3) }", "note": "</script>"}
    source = new_notebook(cells=[new_markdown_cell("# Probe"), new_code_cell("", outputs=twice)])
    source.metadata["widgets"] = {build_site.STATE: {"state": {"abc": {"state": traits}}}}
    path = tmp_path / "probe.html"
    build_site.write(path, build_site.page(source, "notebooks/probe.ipynb"))
    with opened(chromium, path) as (page, _):
        views = page.locator("[data-widget]")
        for index in range(2):  # both views, over one model
            said = {"heard": [index + 1, "any", "any"], "note": "</script>"}
            expect(views.nth(index)).to_have_text(json.dumps(said, separators=(",", ":")))
        expect(views.first).to_have_css("color", "rgb(1, 2, 3)")
