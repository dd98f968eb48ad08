"""All pages in a real browser, over a file server in a subfolder, under their own policy."""

import contextlib
import functools
import http.server
import random
import re
import threading
from urllib.parse import parse_qs, urlsplit

import axe
import pytest
from playwright.sync_api import expect

from resnet_lesson.widgets.explorer import widget as explorer_module

PHONE, SCREEN = {"width": 375, "height": 800}, {"width": 1280, "height": 900}
LOOKS = [(PHONE, "dark"), (SCREEN, "light")]
OUTSIDE = "https://example.invalid/pixel.png"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(site):
    """Of the site, as a subfolder of what a plain file server serves."""
    handler = functools.partial(Quiet, directory=site.parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{site.name}/"
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def reading(chromium, address, **options):
    """A page, and what was amiss on it: a request outside, an error, a complaint."""
    context = chromium.new_context(**options)
    page, amiss = context.new_page(), []
    page.on("request", lambda request: note(amiss, request.url, address))
    page.on("pageerror", lambda error: amiss.append(str(error)))
    page.on("console", lambda said: amiss.extend([said.text] if said.type == "error" else []))
    yield page, amiss
    context.close()


def note(amiss, url, address):
    if not url.startswith((address, "data:", "blob:")):
        amiss.append(url)


def names(site):
    found = (path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return sorted(name for name in found if not name.startswith("_"))


def alive(page):
    """Wait until all widgets of the page have come alive."""
    for place in page.locator("[data-widget]").all():
        expect(place.locator(".inner > [class^=resnet-]")).to_be_attached()


@pytest.mark.parametrize(("viewport", "theme"), LOOKS)
def test_every_page_fits_and_keeps_nobody_out(chromium, site, address, viewport, theme):
    pages = names(site)
    assert len(pages) > 12
    look = {"viewport": viewport, "color_scheme": theme}
    with reading(chromium, address, **look) as (page, amiss):
        for name in pages:
            page.goto(address + name)
            alive(page)
            width = page.evaluate("document.scrollingElement.scrollWidth")
            assert width <= viewport["width"], f"{name} scrolls sideways"
            assert axe.violations(page) == [], name
            assert page.locator("html").get_attribute("data-theme") == theme
        assert amiss == []


# By a key, the control of each kind of widget that changes its picture.
MOVED = {
    "race": ("slider", "Layers", "ArrowLeft"),
    "explorer": ("slider", "Depth", "ArrowRight"),
    "builder": ("button", "Double all filters", "Enter"),
    "panel": ("slider", "Step", "Home"),
    "lesions": ("button", re.compile("delete"), "Enter"),
}


def test_every_widget_can_be_moved(chromium, site, address):
    moved = []
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        for name in names(site):
            page.goto(address + name)
            alive(page)
            for widget in page.locator("[data-widget]").all():
                kind = widget.get_attribute("data-widget")
                role, control, key = MOVED[kind]
                found = widget.get_by_role(role, name=control, exact=True).first
                if not found.is_visible():  # it waits for a guess
                    found = widget.get_by_role("slider").first
                    key = "ArrowDown"
                before = widget.inner_html()
                found.press(key)
                page.wait_for_function(
                    "([widget, before]) => widget.innerHTML !== before",
                    arg=[widget.element_handle(), before],
                )
                moved.append(kind)
        assert amiss == []
    assert set(moved) == set(MOVED)
    assert len(moved) >= 9


def drawn_settings(count):
    """Settings of dense layers that the explorer can show, by a seeded generator."""
    draw = random.Random(35)
    choices = explorer_module.CHOICES | {"kind": ["dense"]}
    for _ in range(count):
        yield {
            name: draw.randint(1, 200)
            if name == "depth"
            else draw.randrange(2**32)
            if name == "seed"
            else draw.choice(choices.get(name, [True, False]))
            for name in explorer_module.TRAITS
        }


def written(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def copied(widget):
    """The link that the widget's button copies."""
    widget.get_by_role("button", name="Copy a link to this state").press("Enter")
    expect(widget.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    return widget.page.evaluate("navigator.clipboard.readText()")


def open_anew(page, link):
    """As a reader who is sent it: from another page."""
    page.goto("about:blank")
    page.goto(link)


CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


def test_every_state_of_the_explorer_comes_back_by_its_link(chromium, address):
    with reading(chromium, address, viewport=SCREEN, **CLIPBOARD) as (page, amiss):
        for setting in drawn_settings(8):
            state = "&".join(f"{name}={written(value)}" for name, value in setting.items())
            open_anew(page, f"{address}index.html#explorer?{state}")
            widget = page.locator("[data-name=explorer]")
            picture = widget.locator(".picture [role=img]")
            expect(picture).to_have_attribute("aria-label", re.compile(rf"^{setting['depth']} "))
            expect(picture).to_have_attribute(
                "aria-label", re.compile(f"draw {setting['seed'] + 1} of your browser")
            )
            assert widget.evaluate("place => place.getBoundingClientRect().top") < 300
            link = urlsplit(copied(widget))
            assert link.fragment.startswith("explorer?")
            back = parse_qs(link.fragment.partition("?")[2])
            assert back == {name: [written(value)] for name, value in setting.items()}
        assert amiss == []


def test_a_network_that_was_recorded_comes_back_by_its_link(chromium, address):
    state = (
        "kind=bottleneck&order=full_preactivation&activation=relu&initializer=he"
        "&normalization=true&shortcut=true&depth=50&quantity=signal_gradient&seed=0"
    )
    with reading(chromium, address, viewport=SCREEN, **CLIPBOARD) as (page, amiss):
        page.goto(f"{address}index.html#explorer?{state}")
        widget = page.locator("[data-name=explorer]")
        expect(widget.locator(".picture [role=img]")).to_have_attribute(
            "aria-label", re.compile("^50 ReLU bottleneck modules, He's weights, BN, shortcuts")
        )
        back = parse_qs(urlsplit(copied(widget)).fragment.partition("?")[2])
        assert back == parse_qs(state)
        assert amiss == []


def test_kept_curves_come_back_as_well(chromium, address):
    with reading(chromium, address, viewport=SCREEN, **CLIPBOARD) as (page, amiss):
        page.goto(address)
        widget = page.locator("[data-name=explorer]")
        for key in ("End", "Home"):
            widget.get_by_role("button", name="Keep this curve").press("Enter")
            widget.get_by_role("slider", name="Depth").press(key)
            depth = {"End": 200, "Home": 1}[key]
            picture = widget.locator(".picture [role=img]")
            expect(picture).to_have_attribute("aria-label", re.compile(f"^{depth} "))
        link, kept = copied(widget), widget.locator("ul[aria-label='Kept curves'] li")
        labels = kept.all_text_contents()
        assert len(labels) == 2
        open_anew(page, link)
        expect(kept).to_have_count(2)
        # The first was the kernel's: the page computes it anew, and says so.
        assert [label.split(", draw")[0] for label in kept.all_text_contents()] == [
            label.split(", draw")[0].removesuffix(" remove") for label in labels
        ]
        assert amiss == []


def test_the_states_of_builder_and_race_come_back_by_their_links(chromium, address):
    with reading(chromium, address, viewport=SCREEN, **CLIPBOARD) as (page, amiss):
        page.goto(address + "notebooks/04_building_resnet.html")
        builder = page.locator("[data-name=builder-1]")
        builder.get_by_role("button", name="Double all filters").press("Enter")
        link, heard = copied(builder), builder.locator(".heard").text_content()
        assert "filters=128%2C256%2C512%2C1024" in link
        open_anew(page, link)
        expect(builder.locator(".heard")).to_have_text(heard)
        page.goto(address + "#race?depth=12&rate=0.1&warmup=20&seed=3")
        race = page.locator("[data-name=race]")
        expect(race.get_by_role("slider", name="Layers")).to_have_value("12")
        assert copied(race).endswith("#race?depth=12&rate=0.1&warmup=20&seed=3")
        assert amiss == []


def test_a_guess_comes_back_by_its_link_without_its_answer(chromium, address):
    with reading(chromium, address, viewport=SCREEN, **CLIPBOARD) as (page, amiss):
        page.goto(address + "notebooks/01_vanishing_gradients.html")
        widget = page.locator("[data-name=explorer-1]")
        widget.get_by_role("slider", name="Guess, first layer").press("PageDown")
        guessed = widget.get_by_text("Your guess: the first layer gets").text_content()
        link = copied(widget)
        open_anew(page, link)
        expect(widget.get_by_text("Your guess: the first layer gets")).to_have_text(guessed)
        expect(widget.get_by_text("about 10⁻¹²")).to_be_hidden()
        expect(widget.get_by_role("button", name="Show what was measured")).to_be_visible()
        assert amiss == []


def test_a_link_within_the_page_leaves_other_widgets_as_they_are(chromium, address):
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        page.goto(address + "notebooks/01_vanishing_gradients.html")
        alive(page)
        handle = page.locator("[data-name=explorer-1]").get_by_role(
            "slider", name="Guess, first layer"
        )
        handle.press("PageDown")
        guessed = handle.get_attribute("aria-valuetext")
        page.evaluate("location.hash = 'explorer-2?depth=60'")
        second = page.locator("[data-name=explorer-2]")
        expect(second.get_by_role("slider", name="Depth")).to_have_value("60")
        assert handle.get_attribute("aria-valuetext") == guessed
        assert amiss == []


def test_a_network_that_cannot_be_built_has_no_link(chromium, address):
    with reading(chromium, address, viewport=SCREEN, **CLIPBOARD) as (page, amiss):
        page.goto(address + "notebooks/04_building_resnet.html#builder-1?order=toString")
        builder = page.locator("[data-name=builder-1]")
        expect(builder.locator(".refusal").filter(has_text="order must be")).to_be_visible()
        open_anew(page, address + "notebooks/04_building_resnet.html")
        builder.get_by_role("spinbutton", name="Modules of stage 2").fill("")
        builder.get_by_role("button", name="Copy a link to this state").press("Enter")
        expect(builder.locator(".lesson-link")).to_contain_text("There is no link to this: stages")
        assert amiss == []


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("explorer?depth=900", "depth must be a whole number from 1 to 200"),
        ("explorer?activation=swish", "activation must be one of"),
        ("explorer?keep=1.2", "keep must be the values of"),
        ("explorer?guess=1,x", "guess must be two numbers of decades"),
        ("explorer?question=9", "question must be a whole number from 0 to 8"),
        ("explorer?kind=bottleneck&activation=tanh", "were not computed beforehand"),
        ("explorer?" + "keep=0&" * 21, "keep must be at most 20 curves"),
        ("explorer-9?depth=5", "a widget that is not on this page: explorer-9"),
        ("race?rate=0.5", "rate must be one of 0.003, 0.01, 0.03, 0.1"),
    ],
)
def test_a_link_that_says_what_cannot_be_is_refused(chromium, address, state, said):
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        page.goto(f"{address}index.html#{state}")
        expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
        alive(page)
        assert amiss == []


def test_a_newcomer_sees_the_plain_network_fail(chromium, address):
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        page.goto(address)
        race = page.locator("[data-name=race]")
        race.get_by_role("button", name="Start", exact=True).click()
        again = race.get_by_role("button", name="Start again")
        expect(again).to_be_visible(timeout=60_000)
        expect(race.get_by_role("status").first).to_contain_text("fails on the very digits")
        assert amiss == []


def test_a_number_in_the_prose_is_dragged_and_its_sentence_computed(chromium, address):
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        page.goto(address + "notebooks/01_vanishing_gradients.html")
        page.locator("summary", has_text="when you have seen the measured curve").press("Enter")
        sentence = page.locator(".computed.alive").first
        number, result = sentence.get_by_role("slider"), sentence.get_by_role("status").first
        expect(sentence).to_contain_text("With 20 sigmoid layers, the first one gets 10⁻¹² of")
        number.focus()
        page.keyboard.press("ArrowRight")
        expect(number).to_have_attribute("aria-valuetext", "21 layers")
        page.keyboard.press("End")
        expect(number).to_have_text("200")
        expect(result).to_have_text("exactly nothing of")
        page.keyboard.press("Home")
        expect(result).to_have_text(re.compile(r"2\d % of"))
        box = number.bounding_box()
        page.mouse.move(box["x"] + 3, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(box["x"] + 3 + 4 * 28, box["y"] + 8, steps=5)
        page.mouse.up()
        expect(number).to_have_text("30")
        expect(result).to_have_text(re.compile("10⁻¹[⁷⁸⁹] of"))
        assert axe.violations(page) == []
        assert amiss == []


def test_a_sentence_stays_as_it_was_written_where_nothing_computes(chromium, address):
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        page.add_init_script("delete window.Worker; delete window.WebAssembly;")
        page.goto(address + "notebooks/02_identity_shortcut.html")
        sentence = page.locator(".computed.alive").first
        page.locator("details:has(.computed) > summary").press("Enter")
        written = sentence.text_content()
        sentence.get_by_role("slider").press("End")
        expect(sentence).to_have_text(
            f"{written} (This page cannot compute, so the number stays as it was.)"
        )
        assert amiss == []


POSITION = "element => getComputedStyle(element).position"


@pytest.mark.parametrize("viewport", [PHONE, SCREEN])
def test_a_widget_stays_in_sight_while_its_section_scrolls(chromium, address, viewport):
    with reading(chromium, address, viewport=viewport) as (page, amiss):
        page.goto(address + "notebooks/01_vanishing_gradients.html")
        alive(page)
        # The answer is long enough to scroll.
        page.locator("summary", has_text="when you have seen the measured curve").press("Enter")
        place = page.locator("[data-name=explorer-1]")
        place.evaluate("place => scrollBy(0, place.getBoundingClientRect().bottom - 200)")
        expect(place).to_have_class(re.compile("docked"))
        picture = place.locator("svg.picture")
        expect(picture).to_be_in_viewport(ratio=0.5)
        assert place.locator(".inner").bounding_box()["height"] <= 0.46 * viewport["height"]
        assert axe.violations(page) == []
        page.emulate_media(media="print")
        assert (
            place.locator(".inner").evaluate("inner => getComputedStyle(inner).position") != "fixed"
        )
        page.emulate_media(media="screen")
        place.get_by_role("button", name="Let it scroll away").click()
        expect(picture).not_to_be_in_viewport()
        assert amiss == []


COUNT_CHANGES = """place => {
    window.changes = 0;
    new MutationObserver(found => { window.changes += found.length; })
        .observe(place, { attributeFilter: ["class"] });
}"""


def test_a_widget_that_a_link_opened_anew_can_be_sent_away(chromium, address):
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        page.goto(address + "notebooks/01_vanishing_gradients.html")
        alive(page)
        place = page.locator("[data-name=explorer-1]")
        page.evaluate("location.hash = 'explorer-1?depth=30'")
        expect(place.get_by_role("slider", name="Depth")).to_have_value("30")
        page.locator("summary", has_text="when you have seen the measured curve").press("Enter")
        place.evaluate("place => scrollBy(0, place.getBoundingClientRect().bottom - 200)")
        expect(place).to_have_class(re.compile("docked"))
        place.get_by_role("button", name="Let it scroll away").click()
        expect(place).not_to_have_class(re.compile("docked"))
        place.evaluate(COUNT_CHANGES)
        for _ in range(3):
            page.evaluate("scrollBy(0, 5)")
            page.wait_for_timeout(100)
        assert page.evaluate("window.changes") == 0, "what was there before still moves it"
        assert amiss == []


def test_a_check_says_that_it_needs_a_kernel_and_where_there_is_one(chromium, address):
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        page.goto(address + "notebooks/02_identity_shortcut.html")
        check = page.locator(".needs-kernel").first
        expect(check).to_contain_text("needs a kernel")
        links = check.get_by_role("link")
        assert [link.inner_text() for link in links.all()] == [
            "JupyterLab on Binder",
            "Colab",
            "your own JupyterLab",
        ]
        assert all("02_identity_shortcut" in link.get_attribute("href") for link in links.all()[:2])
        page.locator("summary", has_text="Hint 1").first.press("Enter")
        assert amiss == []


def test_the_search_finds_a_word_and_leads_to_it(chromium, address):
    with reading(chromium, address, viewport=SCREEN) as (page, amiss):
        page.goto(address + "search.html?q=degradation")
        found = page.locator("ul.search li a")
        expect(found.first).to_be_visible()
        found.first.click()
        expect(page.locator(".bd-article h1")).to_be_visible()
        assert amiss == []


@pytest.mark.parametrize("name", ["index.html", "notebooks/04_building_resnet.html"])
def test_pages_from_files_work_as_well(chromium, site, name):
    with reading(chromium, site.as_uri(), viewport=SCREEN, offline=True) as (page, amiss):
        page.goto((site / name).as_uri())
        alive(page)
        assert amiss == []


def test_what_is_planted_is_seen(chromium, site, address):
    """A request outside, words that are hard to read, and a script that makes code of a text."""
    traps = (
        '<button></button><p style="color: #999; background: #aaa">hard to read</p>'
        f'<img alt="" src="{OUTSIDE}">'
    )
    planted = site / "planted.html"
    text = (site / "docs/glossary.html").read_text(encoding="utf-8").replace("../", "")
    planted.write_text(text.replace("</article>", traps + "</article>"), encoding="utf-8")
    try:
        with reading(chromium, address, viewport=SCREEN) as (page, amiss):
            page.goto(address + "planted.html")
            rules = {line.split(":")[0] for line in axe.violations(page)}
            expect(page.locator(".bd-article h1")).to_be_visible()
    finally:
        planted.unlink()
    assert rules == {"button-name", "color-contrast"}
    assert any(OUTSIDE in line for line in amiss)
    # The browser has obeyed the page's policy, and not fetched it.
    assert any("Content Security Policy" in line for line in amiss)
