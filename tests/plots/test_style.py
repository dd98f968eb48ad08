"""The look of the figures: colours of the widgets, names at the lines, few and plain ticks."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb

import resnet_lesson
from resnet_lesson import plots
from resnet_lesson.plots import names, style

SHEET = Path(resnet_lesson.__file__).parent / "widgets/chart/elements.css"
NORMS = np.array([1.0, 0.1, 0.01])


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_figures_have_the_colours_of_the_widgets():
    sheet = SHEET.read_text(encoding="utf-8")
    light = dict(re.findall(r"--([\w-]+): light-dark\((#\w+), #\w+\)", sheet))
    of_figures = ("ink", "soft", "edge", "hair", "ground", "plain", "residual", "wrong")
    assert {name: light[name] for name in of_figures} == {
        name: getattr(style, name.upper()) for name in of_figures
    }
    known = [light[name] for name in ("ink", "guess", "accent", "soft")]
    assert list(style.HUES[:4]) == known


def luminance(color):
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(color)
    ]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("color", [*style.HUES, style.PLAIN, style.RESIDUAL])
def test_a_name_in_its_colour_can_be_read(color):
    assert 1.05 / (luminance(color) + 0.05) > 4.5  # on white, as WCAG asks of text


def test_orange_is_plain_and_blue_is_residual_and_nothing_else_is():
    curves = ["first", "residual, BN", "56 plain, by hand", "explains", "plain", "third"]
    first, *kinds, second, plain, third = style.colours(curves)
    assert kinds == [style.RESIDUAL, style.PLAIN]
    assert plain == style.PLAIN
    assert [first, second, third] == list(style.HUES[:3])
    assert not {style.PLAIN, style.RESIDUAL} & set(style.colours(map(str, range(99))))


DRAWN = {
    "gradients": lambda curves: plots.gradient_curves(curves, ylabel="measure", title="message"),
    "training": lambda curves: plots.training_curves(curves, ylabel="measure", title="message"),
    "bands": lambda curves: plots.bands(
        {name: ([1, 2, 3], np.array(curve)[:, None]) for name, curve in curves.items()},
        ylabel="measure",
        title="message",
    ),
}


def ends(ax):
    return {text.get_text(): text for text in ax.texts if isinstance(text, names._Name)}


def boxes(ax):
    """Where the names stand in the finished picture, from the lowest to the highest."""
    ax.figure.canvas.draw()
    return sorted((text.get_window_extent() for text in ends(ax).values()), key=lambda box: box.y0)


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_three_curves_are_named_at_their_ends_and_four_in_a_legend(draw):
    ax = draw({"plain": NORMS, "residual": NORMS, "other": 1 + NORMS})
    assert ax.get_legend() is None
    for line in ax.lines[:3]:
        assert ends(ax)[line.get_label()].get_color() == line.get_color()
    low, middle, high = boxes(ax)
    assert low.y1 < middle.y1
    assert middle.y0 > low.y0 + 12
    assert high.y0 > middle.y0 + 12
    assert len({line.get_linestyle() for line in ax.lines[:3]}) == 3
    assert len({line.get_marker() for line in ax.lines[:3]}) == 3
    many = draw({name: NORMS for name in "abcd"})
    assert [text.get_text() for text in many.get_legend().get_texts()] == list("abcd")
    assert not ends(many)


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_the_measure_stands_above_the_axis_and_the_message_above_the_measure(draw):
    ax = draw({"one": NORMS})
    ax.figure.canvas.draw()
    measure, axis = ax.yaxis.label.get_window_extent(), ax.get_window_extent()
    message = ax._left_title.get_window_extent()
    assert (ax.get_ylabel(), ax.get_title(loc="left")) == ("measure", "message")
    assert ax.yaxis.label.get_rotation() == 0
    assert axis.y1 < measure.y0 < measure.y1 < message.y0
    assert abs(measure.x0 - message.x0) < 2
    assert [ax.spines[side].get_visible() for side in ("top", "left", "right")] == [False] * 3


def test_names_stand_where_the_curves_are_apart():
    left = plots.gradient_curves({"one": [1.0, 1e-9], "two": [1e9, 1e-9]})
    right = plots.gradient_curves({"one": [1e-9, 1.0], "two": [1e-9, 1e9]})
    for ax, beside in ((left, -1), (right, 1)):
        ax.figure.canvas.draw()
        for line in ax.lines[:2]:
            x = ax.transData.transform((line.get_xdata()[0 if beside < 0 else -1], 1))[0]
            box = ends(ax)[line.get_label()].get_window_extent()
            assert (box.x1 < x) if beside < 0 else (x < box.x0)


def test_a_curve_of_zeros_has_its_name_at_the_foot():
    ax = plots.gradient_curves({"dead": [0.0, 0.0, 0.0], "alive": [1.0, 0.5, 0.1]})
    low, _ = boxes(ax)
    assert ends(ax)["dead"].get_window_extent().y0 == low.y0


@pytest.mark.parametrize(
    "axes", [lambda: None, plots.quick_axes, lambda: plt.subplots(layout="constrained")[1]]
)
def test_names_and_words_stand_on_the_picture(axes):
    curves = {"plain, with a long name to break": [1.0, 1e-9], "residual": [1.0, 1.0]}
    for given_curves in (curves, {name: curve[::-1] for name, curve in curves.items()}):
        for message in ("message", ""):
            assert_on_the_picture(plots.gradient_curves(given_curves, axes(), "measure", message))


def assert_on_the_picture(ax):
    """Assert that all its words are inside."""
    ax.figure.canvas.draw()
    words = [*ends(ax).values(), ax.yaxis.label, ax._left_title, *ax.get_yticklabels()]
    for box in [text.get_window_extent() for text in words if text.get_text().strip()]:
        assert ax.figure.bbox.x0 <= box.x0 < box.x1 <= ax.figure.bbox.x1
        assert ax.figure.bbox.y0 <= box.y0 < box.y1 <= ax.figure.bbox.y1


def test_names_stay_apart_when_the_scale_is_changed_afterwards():
    ax = plots.bands({name: ([1, 10], [[1], [level]]) for name, level in (("a", 1), ("b", 1.01))})
    ax.set_xscale("log")
    ax.set_ylim(0, 1000)
    low, high = boxes(ax)
    assert low.y0 + 12 < high.y0


HEIGHTS = st.lists(st.floats(-1000, 1000), min_size=1, max_size=6)


@given(HEIGHTS)
def test_heights_are_spread_in_their_order_and_no_further_than_need_be(heights):
    free = names.spread(heights, 10)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(free[order]) >= 10 - 1e-6).all()
    assert np.isclose(free.mean(), np.mean(heights))  # as much up as down
    if (np.diff(np.sort(heights)) >= 10).all():
        np.testing.assert_allclose(free, heights, atol=1e-6)


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (1e-33, 3, ["10⁻³⁰", "10⁻²⁰", "10⁻¹⁰", "1"]),
        (1e-4, 20, ["10⁻⁴", "10⁻²", "1"]),
        (0.008, 2, ["0.01", "0.1", "1"]),
        (0.3, 3, ["0.3", "1", "3"]),
        (0.09, 0.6, ["0.1", "0.2", "0.5"]),
        (2e-7, 9e-7, ["2·10⁻⁷", "5·10⁻⁷"]),
    ],
)
def test_ticks_are_few_and_written_as_one_writes_them(low, high, written):
    _, ax = plt.subplots()
    ax.set(yscale="log", ylim=(low, high))
    style.logarithmic(ax.yaxis)
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.get_yticklabels()] == written


@given(st.floats(-300, 300), st.floats(0.001, 500))
def test_there_are_two_to_five_ticks_on_any_axis(low, decades):
    least, most = 10**low, 10 ** min(low + decades, 307.0)
    inside = [tick for tick in style.FewPowers().tick_values(least, most) if least <= tick <= most]
    assert 2 <= len(inside) <= 5


def test_a_figure_brings_its_own_light_ground_with_a_margin():
    ax = plots.gradient_curves({"one": NORMS})
    figure = ax.figure
    assert to_hex(figure.get_facecolor()) == style.GROUND
    # A front end crops a figure to what is drawn: the ground is drawn.
    figure.canvas.draw()
    tight = figure.get_tightbbox(figure.canvas.get_renderer())
    np.testing.assert_allclose(tight.size, figure.get_size_inches(), rtol=0.02)


@pytest.mark.parametrize("draw", [plots.gradient_curves, plots.training_curves])
def test_a_curve_without_points_has_no_name(draw):
    ax = draw({"empty": [], "one": [0.5]})
    assert list(ends(ax)) == ["one"]


def test_an_order_has_one_colour_in_all_figures():
    every = ["(a) original", "(b)", "(c) ReLU before addition", "(d)", "(e) full"]
    assert style.colours(every) == list(style.HUES)
    assert style.colours(["(e)", "(b) BN after addition"]) == [style.HUES[4], style.HUES[1]]
    assert style.colours(["(a), a list", "plain"]) == [style.HUES[0], style.PLAIN]
