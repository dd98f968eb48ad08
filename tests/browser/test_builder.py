"""The architecture builder: its sums are the package's, its words are those of ``build``."""

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
from resnet_lesson.networks import cost
from resnet_lesson.networks.orders import ORDERS
from resnet_lesson.widgets.builder import widget as module

SCRIPT = bundle.script("builder/arithmetic.js")
# The sums of many networks, or what refuses them, and the calls that build them.
SUMS = f"""({{ networks, words }}) => {{
    {SCRIPT}
    const {{ networkParts, buildCall, Refused }} = exported;
    return networks.map(network => {{
        try {{
            return [networkParts(network, words), buildCall(network)];
        }} catch (error) {{
            if (!(error instanceof Refused)) throw error;
            return [error.message, null];
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


def test_its_sums_and_its_words_are_the_packages(chromium):
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
    words = ArchitectureBuilder().words
    answers = page.evaluate(SUMS, {"networks": drawn, "words": words})
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


def test_every_control_obeys_its_keys_without_a_kernel(chromium, page_of_builder):
    with opened(chromium, page_of_builder) as (page, asked):
        builder = page.locator(".resnet-builder")
        status, code = builder.get_by_role("status").first, builder.locator("code")
        expect(status).to_contain_text("13 modules, 2,265,748 parameters, 2,252,046 of them")
        for role, name, key in (
            ("spinbutton", "Width", "ArrowUp"),
            ("spinbutton", "Height", "ArrowUp"),
            ("spinbutton", "Channels", "ArrowUp"),
            ("combobox", "Order", "ArrowUp"),
            ("spinbutton", "Filters of the stem", "ArrowUp"),
            ("spinbutton", "Modules of stage 1", "ArrowUp"),
            ("spinbutton", "Filters of stage 3", "ArrowDown"),
            ("spinbutton", "Classes", "ArrowDown"),
            ("button", "Add a stage", "Enter"),
        ):
            words, call = status.inner_text(), code.inner_text()
            control = builder.get_by_role(role, name=name, exact=True)
            control.focus()
            page.keyboard.press(key)
            expect(code).not_to_have_text(call)
            expect(status).not_to_have_text(words)
            expect(control).to_be_focused()
        expect(code).to_have_text(
            "ResNet.build(65, 65, 4, 199, (4, 4, 6, 6), (65, 128, 256, 508, 1016), "
            'order="relu_only_preactivation")'
        )
        builder.get_by_role("button", name="Remove the last stage").press("Enter")
        expect(builder.get_by_role("row")).to_have_count(8)
        builder.get_by_role("button", name="Copy").press("Enter")
        expect(builder).to_contain_text("cop")
        builder.get_by_role("button", name="The article's example").press("Enter")
        expect(code).to_have_text("ResNet.build(64, 64, 3, 200, (3, 4, 6), (64, 128, 256, 512))")
    assert loaded(asked) == [page_of_builder.as_uri()]


def test_the_impossible_is_said_in_the_words_of_build(chromium, page_of_builder):
    with opened(chromium, page_of_builder) as (page, _):
        builder = page.locator(".resnet-builder")
        field = builder.get_by_label("Filters of stage 2")
        field.fill("130")
        with pytest.raises(ValueError, match="divisible by 4") as refused:
            cost.parts(64, 64, 3, 200, (3, 4, 6), (64, 128, 130, 512))
        expect(builder.get_by_role("alert")).to_have_text(str(refused.value))
        expect(builder.get_by_role("button", name="Copy")).to_be_hidden()
        assert axe.violations(page) == []
        expect(field).to_be_focused()
        field.fill("")
        expect(builder.get_by_role("alert")).to_contain_text("received None")
        field.fill("132")
        expect(builder.locator(".refusal")).to_be_empty()
        expect(builder.get_by_role("button", name="Copy")).to_be_visible()


def test_feature_maps_are_drawn_to_scale(chromium, page_of_builder):
    with opened(chromium, page_of_builder) as (page, _):
        boxes = page.locator(".map-stage").evaluate_all(
            "all => all.map(box => [box.width.baseVal.value, box.height.baseVal.value])"
        )
        assert len(boxes) == 13
        first, second, third = boxes[0], boxes[3], boxes[7]
        # The article's stages: 32x32x128, 16x16x256 and 8x8x512.
        assert first[1] == pytest.approx(2 * second[1])
        assert second[1] == pytest.approx(2 * third[1])
        assert third[0] == pytest.approx(2 * second[0])
        assert second[0] == pytest.approx(2 * first[0])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_keeps_nobody_out(chromium, page_of_builder, theme, width):
    with opened(chromium, page_of_builder, width, theme) as (page, _):
        expect(page.locator(".resnet-builder")).to_be_visible()
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert axe.violations(page) == []


def test_in_jupyterlab_traits_and_controls_are_one(chromium, lab):
    code = "from resnet_lesson import ArchitectureBuilder\nbuilder = ArchitectureBuilder()\nbuilder"
    jupyter.write_notebook(lab, "builder.ipynb", code)
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    complaints = complaints_of(page)
    assert run_all(page, lab, "builder.ipynb")["errors"] == []
    builder = page.locator(".resnet-builder")
    builder.get_by_label("Modules of stage 2").focus()
    page.keyboard.press("ArrowUp")
    settles(page, "print(builder.stages)", "[3, 5, 6]")
    builder.get_by_label("Filters of stage 1").fill("126")
    settles(page, "print(builder.filters[1])", "126")
    assert "divisible by 4" in ask(page, "builder.build()")
    ask(page, "builder.stages, builder.filters = [2, 2], [16, 32, 64]")
    expect(builder.locator("code")).to_have_text(
        "ResNet.build(64, 64, 3, 200, (2, 2), (16, 32, 64))"
    )
    expect(builder.get_by_role("row")).to_have_count(7)
    seen = "print(builder.build().count_params() == sum(p.parameters for p in builder.parts()))"
    settles(page, seen, "True")
    assert axe.violations(page, ".resnet-builder") == []
    assert complaints == []
    page.close()
