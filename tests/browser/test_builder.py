"""The architecture builder: its sums and its rules are those of ``build``."""

import shutil

import axe
import bundle
import lab as jupyter
import pytest
import standalone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from test_lab import ask, complaints_of, run_all, settles
from test_page import THEMES, WIDTHS, loaded, opened

from resnet_lesson import ArchitectureBuilder
from resnet_lesson.networks import rules
from resnet_lesson.networks.orders import ORDERS
from resnet_lesson.widgets.builder import widget as module

SCRIPT = bundle.script("builder/arithmetic.js", "chart/words.js")
# The sums of many networks, or what refuses them, and the calls that build them.
SUMS = f"""({{ networks, rules }}) => {{
    {SCRIPT}
    const {{ networkParts, buildCall, Refused, filled }} = exported;
    return networks.map(network => {{
        try {{
            return [networkParts(network), buildCall(network)];
        }} catch (error) {{
            if (!(error instanceof Refused)) throw error;
            return [filled(rules[error.rule], error.values), null];
        }}
    }});
}}"""
# What a field can hold, and what a cell can set; sound or not.
ANY = st.one_of(st.integers(-1, 300), st.sampled_from([None, 2.5]))


@st.composite
def networks(draw):
    sound = draw(st.booleans())
    stages = draw(st.lists(st.integers(1, 9) if sound else ANY, min_size=sound, max_size=5))
    count = len(stages) + 1 if sound else draw(st.integers(0, 6))
    four = st.integers(1, 80).map(lambda quarter: 4 * quarter)
    filters = draw(st.lists(four if sound else ANY, min_size=count, max_size=count))
    size = st.integers(2 ** len(stages), 300) if sound else ANY
    sizes = {name: draw(size) for name in ("width", "height", "depth", "classes")}
    order = draw(st.sampled_from(list(ORDERS)))
    return sizes | {"stages": stages, "filters": filters, "order": order}


def by_package(network):
    """What Python says of the same network."""
    builder = ArchitectureBuilder(**network)
    try:
        return [[vars(part) for part in builder.parts()], builder.call()]
    except ValueError as error:
        return [str(error), None]


def test_its_sums_and_its_rules_are_the_packages(chromium):
    drawn = [module.EXAMPLE]

    @settings(
        derandomize=True,
        max_examples=400,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(network=networks())
    def collect(network):
        drawn.append(network)

    collect()
    page = chromium.new_page()
    page.goto("about:blank")
    answers = page.evaluate(SUMS, {"networks": drawn, "rules": rules.RULES})
    page.close()
    refused = 0
    for network, answer in zip(drawn, answers, strict=True):
        assert answer == by_package(network)
        refused += answer[1] is None
    # Both kinds were met, many times.
    assert 50 < refused < len(drawn) - 50


@pytest.fixture(scope="module")
def page_of_builder(tmp_path_factory):
    return standalone.write(
        tmp_path_factory.mktemp("builder") / "index.html", ArchitectureBuilder()
    )


def control(builder, role, name):
    return builder.get_by_role(role, name=name, exact=True)


def pick(builder, part):
    """As the arrow keys do, from the part that is picked."""
    names = builder.get_by_role("radio").evaluate_all("all => all.map(one => one.value)")
    checked = builder.locator(".part :checked")
    way = names.index(part) - names.index(checked.input_value())
    for _ in range(abs(way)):
        checked.press("ArrowRight" if way > 0 else "ArrowLeft")
    expect(checked).to_have_value(part)
    expect(checked).to_be_focused()


def test_every_control_obeys_its_keys_without_a_kernel(chromium, page_of_builder):
    with opened(chromium, page_of_builder) as (page, asked):
        builder = page.locator(".resnet-builder")
        status, code = builder.get_by_role("status").first, builder.locator("code").first
        expect(status).to_contain_text("13 modules, 2,265,748 parameters, 2,252,046 of them")
        builder.get_by_text("Input, classes, order").press("Enter")
        for part, role, name, key in (
            (None, "spinbutton", "Width", "ArrowUp"),
            (None, "spinbutton", "Height", "ArrowUp"),
            (None, "button", "Channels: plus", "Enter"),
            (None, "combobox", "Order", "ArrowUp"),
            ("stem", "spinbutton", "Filters of the stem", "ArrowUp"),
            ("stage1", "spinbutton", "Modules of stage 1", "ArrowUp"),
            ("stage3", "spinbutton", "Filters of stage 3", "ArrowDown"),
            (None, "button", "Modules of stage 3: minus", "Space"),
            (None, "button", "Filters of stage 3: plus", "Space"),
            (None, "spinbutton", "Classes", "ArrowDown"),
            (None, "button", "Add a stage", "Enter"),
            (None, "button", "Double all filters", "Enter"),
        ):
            if part:
                pick(builder, part)
            words, call = status.inner_text(), code.inner_text()
            element = control(builder, role, name)
            element.focus()
            page.keyboard.press(key)
            expect(code).not_to_have_text(call)
            expect(status).not_to_have_text(words)
            expect(element).to_be_focused()
        expect(code).to_have_text(
            "ResNet.build(65, 65, 4, 199, (4, 4, 5, 5), (130, 256, 512, 1024, 2048), "
            'order="relu_only_preactivation")'
        )
        # A stage that was added is the one that is picked.
        expect(control(builder, "spinbutton", "Modules of stage 4")).to_have_value("5")
        control(builder, "button", "Remove the last stage").press("Enter")
        expect(builder.get_by_role("radio")).to_have_count(7)
        expect(control(builder, "spinbutton", "Modules of stage 3")).to_have_value("5")
        control(builder, "button", "Copy").press("Enter")
        expect(builder.get_by_role("status").last).to_contain_text("op")  # Copied, or to copy
        control(builder, "button", "The article's example").press("Enter")
        expect(code).to_have_text("ResNet.build(64, 64, 3, 200, (3, 4, 6), (64, 128, 256, 512))")
    assert loaded(asked, page_of_builder) == []


def test_a_part_is_picked_by_a_click_and_is_the_one_in_colour(chromium, page_of_builder):
    with opened(chromium, page_of_builder) as (page, _):
        builder = page.locator(".resnet-builder")
        expect(builder.locator(".picked .map")).to_have_count(4)
        builder.locator(".part").filter(has_text="stage 3").click()
        expect(control(builder, "spinbutton", "Filters of stage 3")).to_have_value("512")
        expect(builder.locator(".picked .map")).to_have_count(6)
        expect(builder.locator("tr.picked th")).to_have_text("stage 3")
        builder.locator(".part").filter(has_text="image").click()
        expect(control(builder, "spinbutton", "Width")).to_be_visible()


def places(page, which=""):
    """Where each control stands that typing may not move."""
    return page.locator(f".resnet-builder :is(button, input, summary, code){which}").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().top + scrollY)"
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_impossible_is_said_to_the_reader_and_moves_nothing(chromium, page_of_builder, width):
    with opened(chromium, page_of_builder, width) as (page, _):
        builder = page.locator(".resnet-builder")
        status, copy = builder.get_by_role("status").first, control(builder, "button", "Copy")
        field, alert = (
            control(builder, "spinbutton", "Filters of stage 2"),
            builder.get_by_role("alert"),
        )
        words, before = status.inner_text(), places(page)
        field.fill("130")
        expect(alert).to_have_text(
            "The number of filters of stage 2 must be one that can be divided by 4, "
            "such as 128 or 132."
        )
        expect(field).to_have_attribute("aria-invalid", "true")
        assert field.get_attribute("aria-describedby") == alert.get_attribute("id")
        # The last network that was possible stays, in grey; nothing can be copied, and why is said.
        expect(builder.locator(".maps.old")).to_have_count(1)
        expect(builder.locator(".map")).to_have_count(17)
        assert status.inner_text() == words
        for button in (copy, control(builder, "button", "Copy this view")):
            expect(button).to_have_attribute("aria-disabled", "true")
            expect(button).to_have_accessible_description(alert.inner_text())
            button.evaluate("button => button.click()")
        expect(builder.locator(".copied")).to_be_empty()
        assert places(page) == before
        assert axe.violations(page) == []
        for none in ("", "12345678901", "-2000000", "1000001"):
            field.fill(none)
            expect(alert).to_have_text(
                "The number of filters of stage 2 must be a whole number from 1 to 1,000,000."
            )
            expect(field).to_have_value(none)
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(field).to_be_focused()
            expect(builder.locator("code").first).to_contain_text("(64, 128, 256, 512)")
            assert places(page) == before
        field.fill("132")
        expect(builder.locator(".refusal")).to_be_empty()
        expect(field).to_have_attribute("aria-invalid", "false")
        expect(copy).to_have_attribute("aria-disabled", "false")
        assert places(page) == before


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_above_moves_while_the_input_is_typed(chromium, page_of_builder, width):
    with opened(chromium, page_of_builder, width) as (page, _):
        builder = page.locator(".resnet-builder")
        builder.get_by_text("Input, classes, order").click()
        before = places(page, ":not(.foot > *, .foot > * > *)")
        # Impossible, with no stage to spare, with a call of two lines: all on the way to 640.
        for trait, typed in (("Width", "640"), ("Height", "640"), ("Classes", "100000")):
            field = control(builder, "spinbutton", trait)
            field.fill("")
            for digit in typed:
                assert places(page, ":not(.foot > *, .foot > * > *)") == before
                field.press_sequentially(digit)
        expect(builder.locator("code").first).to_contain_text("640, 640, 3, 100000")
        assert places(page, ":not(.foot > *, .foot > * > *)") == before


@pytest.mark.parametrize("width", WIDTHS)
def test_a_line_that_is_copied_moves_nothing(chromium, page_of_builder, width):
    with opened(chromium, page_of_builder, width) as (page, _):
        builder = page.locator(".resnet-builder")
        for permission in ("granted", "denied"):
            tall = builder.bounding_box()["height"]
            if permission == "denied":
                page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
            control(builder, "button", "Copy this view").click()
            words = "Press Ctrl" if permission == "denied" else "op"
            expect(builder.locator(".copied")).to_contain_text(words)
            assert builder.bounding_box()["height"] == tall
        assert page.evaluate("getSelection().toString()").startswith("ArchitectureBuilder(")
        assert axe.violations(page) == []


@pytest.mark.parametrize("width", [1280, 800, 400, 375])
def test_each_part_is_named_with_its_size_and_no_two_overlap(chromium, page_of_builder, width):
    with opened(chromium, page_of_builder, width) as (page, _):
        builder = page.locator(".resnet-builder")
        add, heights = control(builder, "button", "Add a stage"), set()
        for sizes in (["64×64×3", "64×64×64", "32×32×64", "32×32×128"], ["1×1×4096", "200"]):
            words = [
                one.replace(" ", "") for one in builder.locator(".part span").all_inner_texts()
            ]
            assert set(sizes) <= set(words)
            boxes = builder.locator(".part > :is(b, span)").evaluate_all(
                """all => all.map(one => {
                    const range = document.createRange();
                    range.selectNodeContents(one);
                    const {left, right, top, bottom} = range.getBoundingClientRect();
                    return [left, right, top + 1, bottom - 1];
                })"""
            )
            for at, (left, right, top, bottom) in enumerate(boxes):
                assert 0 <= left < right <= width
                for other in boxes[:at]:
                    apart = left >= other[1] or other[0] >= right
                    assert apart or top >= other[3] or other[2] >= bottom
            heights.add(builder.locator(".maps").bounding_box()["height"])
            for _ in range(3):
                add.press("Enter")
        assert len(heights) == 1  # what stands below is not moved by another stage


def test_filters_are_not_doubled_beyond_what_can_be_built(chromium, page_of_builder):
    with opened(chromium, page_of_builder) as (page, _):
        builder = page.locator(".resnet-builder")
        double = control(builder, "button", "Double all filters")
        control(builder, "spinbutton", "Filters of stage 2").fill("500000")
        double.click()
        expect(builder.locator("code").first).to_contain_text("(128, 256, 1000000, 1024)")
        double.click(force=True)
        expect(builder.locator("code").first).to_contain_text("(128, 256, 1000000, 1024)")
        expect(double).to_have_attribute("aria-disabled", "true")
        expect(double).to_have_accessible_description(
            "No number of filters can be above 1,000,000."
        )
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 1280


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_where_all_is_hidden_nothing_empty_is_seen(chromium, tmp_path, theme, width):
    hidden = ArchitectureBuilder(hide=list(module.EXAMPLE), width=4)
    page_of_it = standalone.write(tmp_path / "hidden.html", hidden)
    with opened(chromium, page_of_it, width, theme) as (page, _):
        builder = page.locator(".resnet-builder")
        expect(builder.get_by_text("Try first: pick another part of the picture.")).to_be_visible()
        for nothing in (".fold", ".acts", ".field", "input[type=number]"):
            expect(builder.locator(f"{nothing}:visible")).to_have_count(0)
        # What is wrong is said even where its field is not there.
        expect(builder.get_by_role("alert")).to_be_visible()
        assert axe.violations(page) == []


def test_the_articles_example_leaves_alone_what_is_hidden(chromium, tmp_path):
    made = ArchitectureBuilder(
        width=40, classes=7, stages=[2, 2], filters=[8, 16, 64], hide=("stages", "classes")
    )
    with opened(chromium, standalone.write(tmp_path / "some.html", made)) as (page, _):
        builder = page.locator(".resnet-builder")
        control(builder, "button", "The article's example").click()
        expect(builder.locator("code").first).to_have_text(
            "ResNet.build(64, 64, 3, 7, (2, 2), (8, 16, 64))"
        )
        expect(builder.get_by_text("Input, order …")).to_be_visible()


def test_what_is_wrong_from_the_start_is_shown_with_its_field(chromium, page_of_builder, tmp_path):
    # Python would refuse such traits.
    page_of_it, saved = shutil.copytree(page_of_builder.parent, tmp_path / "wrong"), "256,{}]"
    (traits,) = page_of_it.glob("_static/traits/*.js")
    text = traits.read_text(encoding="utf-8")
    assert text.count(saved.format(512)) == 1
    traits.write_text(text.replace(saved.format(512), saved.format(510)), encoding="utf-8")
    page_of_it /= page_of_builder.name
    with opened(chromium, page_of_it) as (page, _):
        builder = page.locator(".resnet-builder")
        field = control(builder, "spinbutton", "Filters of stage 3")
        expect(field).to_have_attribute("aria-invalid", "true")
        # Plus and minus mend it on the way.
        control(builder, "button", "Filters of stage 3: plus").click()
        expect(field).to_have_value("512")
        expect(builder.locator(".refusal")).to_be_empty()
        builder.get_by_text("Input, classes, order").click()
        width = control(builder, "spinbutton", "Width")
        width.fill("4")
        expect(builder.locator(".fold").get_by_role("alert")).to_have_text(
            "The image's width must be at least 5 pixels: this network halves it 3 times."
        )
        expect(width).to_have_attribute("aria-invalid", "true")


def test_a_number_that_a_cell_left_out_can_be_typed(chromium, tmp_path):
    made = ArchitectureBuilder(stages=[3, 4], filters=[64, 128], picked="stage2")
    with opened(chromium, standalone.write(tmp_path / "short.html", made)) as (page, _):
        builder = page.locator(".resnet-builder")
        expect(builder.get_by_role("alert")).to_have_text(
            "There must be 3 numbers of filters: one for the stem, and one for each stage."
        )
        control(builder, "spinbutton", "Filters of stage 2").fill("256")
        expect(builder.locator("code").first).to_have_text(
            "ResNet.build(64, 64, 3, 200, (3, 4), (64, 128, 256))"
        )
        expect(builder.locator(".refusal")).to_be_empty()


def test_no_stage_is_added_that_cannot_be_built(chromium, page_of_builder):
    with opened(chromium, page_of_builder) as (page, _):
        builder = page.locator(".resnet-builder")
        add = control(builder, "button", "Add a stage")
        for _ in range(5):
            add.click(force=True)  # also once it is off
        expect(builder.locator("code").first).to_contain_text("(3, 4, 6, 6, 6, 6)")
        expect(add).to_have_attribute("aria-disabled", "true")
        why = (
            "With one more stage the network would halve the image 7 times. "
            "An image of 64\u00a0×\u00a064 pixels can be halved only 6 times."
        )
        expect(add).to_have_accessible_description(why)
        expect(builder.locator(".why > p").first).to_have_text(why)
        expect(builder.locator(".refusal")).to_be_empty()
        assert axe.violations(page) == []


def test_a_view_is_one_line_that_makes_it_again(chromium, tmp_path):
    made = ArchitectureBuilder(
        width=40, stages=[2, 9], filters=[8, 16, 64], order="original", hide=("order", "stages")
    )
    page_of_it = standalone.write(tmp_path / "view.html", made)
    with opened(chromium, page_of_it, permissions=["clipboard-read", "clipboard-write"]) as (
        page,
        _,
    ):
        builder = page.locator(".resnet-builder")
        control(builder, "button", "Filters of stage 2: plus").click()
        control(builder, "button", "Copy this view").click()
        shown = builder.get_by_role("status").last
        expect(shown).not_to_be_empty()
        line = shown.locator("code").inner_text() if shown.locator("code").count() else None
        line = line or page.evaluate("navigator.clipboard.readText()")
        again = eval(line, {"ArchitectureBuilder": ArchitectureBuilder})
        made.filters = [8, 16, 80]
        traits = (*module.EXAMPLE, "picked", "hide")
        assert [getattr(again, one) for one in traits] == [getattr(made, one) for one in traits]
        # What a teacher hides is not there; the rest is.
        for role, name in (
            ("spinbutton", "Modules of stage 2"),
            ("button", "Add a stage"),
            ("button", "Remove the last stage"),
        ):
            expect(control(builder, role, name)).to_have_count(0)
        builder.get_by_text("Input, classes …").click()
        expect(control(builder, "combobox", "Order")).to_have_count(0)
        expect(control(builder, "spinbutton", "Classes")).to_be_visible()


def test_feature_maps_are_drawn_to_scale(chromium, page_of_builder):
    with opened(chromium, page_of_builder) as (page, _):
        boxes = page.locator(".map").evaluate_all(
            "all => all.map(box => [box.width.baseVal.value, box.height.baseVal.value])"
        )
        assert len(boxes) == 17  # the image, the stem, the pool, 13 modules, the classes
        boxes = boxes[3:-1]
        first, second, third = boxes[0], boxes[3], boxes[7]
        # The article's stages: 32x32x128, 16x16x256 and 8x8x512.
        assert first[1] == pytest.approx(2 * second[1])
        assert second[1] == pytest.approx(2 * third[1])
        assert third[0] == pytest.approx(2 * second[0])
        assert second[0] == pytest.approx(2 * first[0])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1300, 800, 400, 375, 320, 290])
def test_it_fits_and_keeps_nobody_out(chromium, page_of_builder, theme, width):
    with opened(chromium, page_of_builder, width, theme) as (page, _):
        builder = page.locator(".resnet-builder")
        expect(builder).to_be_visible()
        for summary in builder.locator("summary").all():
            summary.click()
        for _ in range(2):
            right = builder.locator(".shares td, button, input, code").evaluate_all(
                "all => Math.max(...all.map(one => one.getBoundingClientRect().right))"
            )
            assert right <= width
            cells = builder.locator(".shares :is(th, td)").evaluate_all(
                """all => all.filter(one => one.scrollWidth > one.clientWidth)
                    .map(one => one.outerHTML)"""
            )
            assert cells == []
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width
            assert axe.violations(page) == []
            for _ in range(3):  # as many stages as there can be
                control(builder, "button", "Add a stage").press("Enter")
        sizes = builder.locator(".part b").evaluate_all(
            "all => all.map(one => getComputedStyle(one).fontSize)"
        )
        assert set(sizes) == {"13px"}


def test_in_jupyterlab_traits_and_controls_are_one(chromium, lab):
    code = "from resnet_lesson import ArchitectureBuilder\nbuilder = ArchitectureBuilder()\nbuilder"
    jupyter.write_notebook(lab, "builder.ipynb", code)
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    complaints = complaints_of(page)
    assert run_all(page, lab, "builder.ipynb")["errors"] == []
    builder = page.locator(".resnet-builder")
    control(builder, "spinbutton", "Modules of stage 2").focus()
    page.keyboard.press("ArrowUp")
    settles(page, "print(builder.stages)", "[3, 5, 6]")
    builder.locator(".part").filter(has_text="stage 1").click()
    settles(page, "print(builder.picked)", "stage1")
    control(builder, "spinbutton", "Filters of stage 1").fill("126")
    settles(page, "print(builder.filters[1])", "126")
    assert "divisible by 4" in ask(page, "builder.build()")
    ask(page, "builder.stages, builder.filters = [2, 2], [16, 32, 64]")
    expect(builder.locator("code").first).to_have_text(
        "ResNet.build(64, 64, 3, 200, (2, 2), (16, 32, 64))"
    )
    expect(builder.get_by_role("row")).to_have_count(5)
    seen = "print(builder.build().count_params() == sum(p.parameters for p in builder.parts()))"
    settles(page, seen, "True")
    assert axe.violations(page, ".resnet-builder") == []
    assert complaints == []
    page.close()
