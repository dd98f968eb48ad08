"""The explorer on its page in a real browser: from a file, offline, with no kernel."""

import contextlib
import re

import axe
import pytest
import standalone
from playwright.sync_api import expect

from resnet_lesson import GradientExplorer

THEMES, WIDTHS = ("light", "dark"), (1280, 375)
# Each in turn by a real key; what is folded opens before.
CONTROLS = (
    ("slider", "Depth", "End"),
    ("radio", "sigmoid", "ArrowRight"),
    ("switch", "Shortcut", "Space"),
    ("switch", "Batch normalisation", "Space"),
    ("combobox", "Starting weights", "ArrowUp"),
    ("radio", "gradient", "ArrowRight"),
    ("combobox", "Order", "ArrowUp"),
    ("combobox", "Layers", "ArrowDown"),
)


def shown(explorer):
    """The picture, which has for who cannot see it the network and the sentence as its name."""
    return explorer.locator(".picture [role=img]")


def move(page, explorer, control):
    """Press the control's key; the focus must then be on it, or on the next of its group."""
    role, name, key = control
    found = explorer.get_by_role(role, name=name, exact=True)
    found.focus()
    group = found.evaluate("element => element.name")
    page.keyboard.press(key)
    return lambda: (
        page.evaluate("() => document.activeElement.name") == group
        or (expect(found).to_be_focused())
    )


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


def loaded(asked, path):
    """Without what lies in the folder of the page or above it, in the site, and in the page itself;
    and without what the theme tells whoever looks for it."""
    own = ("blob:", "data:", "[PST]", site_of(path).as_uri())
    return [line for line in asked if not line.startswith(own)]


def site_of(path):
    """The folder that a page belongs to, which has the pages' script."""
    return next(folder for folder in path.parents if (folder / "_static").exists())


def laboratory(page):
    """The explorer that opens with the answer; the one before it waits for a guess."""
    expect(page.locator(".resnet-explorer")).to_have_count(3)  # all have come alive
    return page.locator(".resnet-explorer").nth(1)


def drawn(explorer):
    return explorer.locator(".picture").evaluate_all("all => all.map(svg => svg.outerHTML).join()")


def test_the_explorer_comes_alive_and_asks_for_nothing(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, asked):
        explorer = laboratory(page)
        expect(explorer.get_by_label("Depth", exact=True)).to_have_value("20")
        expect(shown(explorer)).to_have_attribute("aria-label", re.compile("20 sigmoid layers"))
        assert drawn(explorer)
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(300)
    assert loaded(asked, page_of_lesson) == []


def unfold(explorer):
    closed = explorer.locator("details:not([open]) > summary:visible")
    while closed.count():
        closed.first.press("Enter")


def test_its_controls_change_the_picture_without_a_kernel(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, asked):
        explorer = laboratory(page)
        unfold(explorer)
        expect(explorer.get_by_role("combobox", name="Order")).to_be_disabled()
        expect(explorer).to_contain_text("Off: no shortcut and no BN.")
        for control in CONTROLS:
            label, picture = shown(explorer).get_attribute("aria-label"), drawn(explorer)
            keeps_the_focus = move(page, explorer, control)
            expect(shown(explorer)).not_to_have_attribute("aria-label", label)
            assert drawn(explorer) != picture
            keeps_the_focus()
        expect(shown(explorer)).to_have_attribute("aria-label", re.compile("200"))
        expect(explorer.get_by_role("button", name="Draw other weights")).to_be_disabled()
        assert axe.violations(page) == []
    assert loaded(asked, page_of_lesson) == []


NO_WORKER = "delete window.Worker;"
NO_WEB_ASSEMBLY = "delete window.WebAssembly;"  # a worker would have its own


def test_it_computes_where_workers_are_forbidden(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        page.add_init_script(NO_WORKER)
        page.reload()
        explorer = laboratory(page)
        explorer.get_by_role("slider", name="Depth").fill("63")
        expect(shown(explorer)).to_have_attribute("aria-label", re.compile("^63 sigmoid"))
        explorer.locator("summary", has_text="More").press("Enter")
        explorer.get_by_role("button", name="Draw other weights").press("Enter")
        expect(shown(explorer)).to_have_attribute(
            "aria-label", re.compile("draw 2 of your browser")
        )


def test_it_says_that_it_cannot_compute_and_stays_usable(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        page.add_init_script(NO_WORKER + NO_WEB_ASSEMBLY)
        page.reload()
        explorer = laboratory(page)
        foot = explorer.get_by_role("group", name="Questions")
        foot.get_by_role("button", name="Walk through").press("Enter")
        expect(explorer).to_contain_text("No kernel answers, and this page cannot compute")
        expect(shown(explorer)).to_have_attribute("aria-label", re.compile("^20 sigmoid"))
        slider = explorer.get_by_role("slider", name="Depth")
        slider.press("ArrowRight")
        expect(slider).to_have_value("20")  # it goes back to what is shown


def test_what_was_not_recorded_moves_to_the_nearest_that_was(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        explorer = laboratory(page)
        unfold(explorer)
        explorer.get_by_role("combobox", name="Layers").select_option("basic")
        # The kind was asked for, so it stays; modules were computed for ReLU and He's weights.
        expect(shown(explorer)).to_have_attribute(
            "aria-label", re.compile("20 ReLU basic modules, He's weights")
        )
        expect(explorer).to_contain_text(
            "This one only with activation ReLU and starting weights He's."
        )
        expect(explorer.get_by_role("radio", name="ReLU")).to_be_checked()


def axis(explorer):
    """What stands at the side of the picture: the powers of its axis."""
    return explorer.locator(".picture text:not(.name)").evaluate_all(
        "all => all.map(text => text.textContent).filter(text => /^10[⁻⁰-⁹]|^1$/.test(text))"
    )


def end(explorer):
    """Where the present curve ends, in pixels from the top of the picture."""
    dot = explorer.locator(".disc").bounding_box()
    return dot["y"] + dot["height"] / 2 - explorer.locator(".picture").bounding_box()["y"]


def test_the_depth_moves_the_end_of_the_curve_and_not_the_axis(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        explorer = laboratory(page)
        depth = explorer.get_by_role("slider", name="Depth")
        depth.press("End")  # the deepest: the axis has grown to what it needs
        expect(shown(explorer)).to_have_attribute("aria-label", re.compile("^200 "))
        grown, ends, words = axis(explorer), [], []
        for layers in (50, 42, 33, 25, 16, 8):
            depth.fill(str(layers))
            expect(shown(explorer)).to_have_attribute("aria-label", re.compile(f"^{layers} "))
            ends.append(end(explorer))
            words.append(explorer.locator("text.name").first.text_content())
            assert axis(explorer) == grown
        assert ends == sorted(ends, reverse=True)
        assert ends[0] - ends[-1] > 100
        assert len(set(words)) == len(words)


def test_quick_presses_on_next_keep_every_curve_under_its_own_name(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        explorer = laboratory(page)
        foot = explorer.get_by_role("group", name="Questions")
        foot.get_by_role("button", name="Walk through").focus()
        for _ in range(8):
            page.keyboard.press("Enter")
        expect(explorer.locator(".title")).to_have_text(
            "And a shortcut with no batch normalisation at all?"
        )
        kept = explorer.get_by_role("list", name="Kept curves")
        explorer.locator("summary", has_text="Kept curves: 7").press("Enter")
        assert kept.get_by_role("listitem").all_inner_texts()[0].startswith("50 sigmoid layers")
        assert explorer.locator(".curve").count() == 8
        names = explorer.locator("text.name").evaluate_all(
            "all => all.map(text => text.firstChild.textContent)"
        )
        assert names[:7] == ["sigmoid", "ReLU", "He's", "BN", "shortcut", "100 layers", "order (b)"]
        before = axis(explorer)
        foot.get_by_role("button", name="Back").press("Enter")
        expect(explorer.locator(".curve")).to_have_count(7)
        assert axis(explorer) == before
        first = kept.get_by_role("button").first
        removed = "remove 50 sigmoid layers, Glorot's weights, draw 1 of your browser"
        assert first.get_attribute("aria-label") == removed
        first.press("Enter")
        expect(kept.get_by_role("listitem")).to_have_count(5)
        # The focus goes on to the next one, not back to the top of the page.
        expect(kept.get_by_role("button").first).to_be_focused()
        foot.get_by_role("button", name="Explore freely").press("Enter")
        expect(foot.get_by_role("button", name="Walk through")).to_be_focused()
        expect(explorer.locator(".curve")).to_have_count(6)  # nothing is lost on the way
        explorer.get_by_role("button", name="remove all").press("Enter")
        expect(explorer.locator(".curve")).to_have_count(1)
        expect(explorer.get_by_role("button", name="Keep this curve")).to_be_focused()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_that_is_pressed_moves_away(chromium, page_of_lesson, width):
    with opened(chromium, page_of_lesson, width) as (page, _):
        explorer = laboratory(page)
        foot = explorer.get_by_role("group", name="Questions")

        def places():
            top = explorer.bounding_box()["y"]
            return [element.bounding_box()["y"] - top for element in (foot, foot.locator(".dots"))]

        foot.get_by_role("button", name="Walk through").press("Enter")
        expect(foot).to_contain_text("question 1 of 8")
        seen = [places()]
        for step in range(7):
            foot.locator("button.primary:visible").press("Enter")
            expect(foot).to_contain_text(f"question {step + 2} of 8")
            seen.append(places())
        assert seen == [seen[0]] * 8


def test_the_arrow_follows_what_is_drawn(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        explorer = laboratory(page)
        strip = explorer.locator(".picture")
        expect(strip).to_contain_text("← gradient")
        explorer.get_by_role("radio", name="signal").press("Space")
        expect(strip).to_contain_text("signal →")
        expect(strip).not_to_contain_text("gradient")  # nor does the axis speak of one


def test_the_line_under_the_title_says_what_is_not_yet_done(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        explorer = laboratory(page)
        hint = explorer.locator(".hint")
        expect(hint).to_have_text("Try first: drag the depth to 100.")
        explorer.get_by_role("slider", name="Depth").press("End")
        expect(hint).to_have_text("Try next: choose ReLU.")
        explorer.get_by_role("radio", name="ReLU").press("Space")
        expect(hint).to_have_text("Try next: switch the shortcut on.")
        explorer.get_by_role("switch", name="Shortcut").press("Space")
        expect(hint).to_have_text("200 ReLU layers, Glorot's weights, shortcuts.")


def test_a_question_marks_its_control_and_has_its_answer(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        explorer = laboratory(page)
        foot = explorer.get_by_role("group", name="Questions")
        foot.get_by_role("button", name="Walk through").press("Enter")
        foot.get_by_role("button", name="Next: What if only the activation").press("Enter")
        expect(explorer.locator(".marked")).to_have_attribute("aria-label", "Activation")
        expect(explorer.locator(".said:visible")).to_contain_text("hands on about seven tenths")
        expect(foot).to_contain_text("question 2 of 8")
        foot.get_by_role("button", name="Next: And if the layers start").press("Enter")
        expect(explorer.get_by_role("combobox", name="Starting weights")).to_be_visible()
        foot.get_by_role("button", name="Back").press("Enter")
        # The reader may move on: the answer then speaks of the network on screen.
        explorer.get_by_role("slider", name="Depth").press("ArrowRight")
        expect(explorer.locator(".marked")).to_have_count(0)
        expect(explorer.locator(".said:visible")).not_to_contain_text("seven tenths")


def test_a_teacher_hides_what_is_not_for_the_class(chromium, tmp_path):
    hidden = GradientExplorer(hide=["order", "kind", "activation", "questions", "guess"])
    with opened(chromium, standalone.write(tmp_path / "hidden.html", hidden)) as (page, _):
        explorer = page.locator(".resnet-explorer")
        unfold(explorer)
        expect(explorer.get_by_role("slider", name="Depth")).to_be_visible()
        for words in ("Order", "Layers", "Activation", "Walk through", "Guess first"):
            for role in ("combobox", "radiogroup", "button"):
                expect(explorer.get_by_role(role, name=words)).to_have_count(0)


def test_keeping_a_curve_twice_keeps_one(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson) as (page, _):
        explorer = laboratory(page)
        keep = explorer.get_by_role("button", name="Keep this curve")
        keep.press("Enter")
        keep.press("Enter")
        expect(explorer).to_contain_text("Kept curves: 1")


def test_without_scripts_its_picture_stands_in(chromium, page_of_lesson):
    with opened(chromium, page_of_lesson, java_script_enabled=False) as (page, _):
        picture = page.locator("[data-widget] img").nth(1)
        expect(picture).to_be_visible()
        assert "sigmoid" in picture.get_attribute("alt")
