"""The code of *Diagnose my model* runs as it stands, and shows what the page says of it."""

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/diagnose.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran():
    """What the blocks define, and what each prints, by its first line."""
    names, said = {}, {}
    for block in re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL):
        lines = []
        names["print"] = lambda *words, lines=lines: lines.append(" ".join(map(str, words)))
        first = block.splitlines()[0]
        exec(compile(block, f"docs/diagnose.md: {first}", "exec"), names)
        said[first] = lines
    return names, said


def medians(monitor, measure, last=20):
    return np.ma.median(monitor.records[measure][-last:], axis=0)


def test_the_first_look_shows_a_gradient_that_falls(ran):
    names, _ = ran
    gradients = names["monitor"].records["gradient_norm"][0]
    assert (np.diff(np.log10(gradients[:-1])) > 0.3).all(), "in even steps toward the input"
    assert names["first_over_last"](names["monitor"]) < 1e-3
    assert 0.2 < names["first_over_last"](names["cured"]) < 5


def test_the_picture_shows_what_its_caption_says(ran):
    names, _ = ran
    falling, level = (names[name].records["gradient_norm"] for name in ("monitor", "cured"))
    assert falling[:, -1].min() > 0.3
    assert falling[:, 0].max() < 1e-3
    assert level.max() < 10 * level.min()


def test_what_kernels_do_not_show_is_there(ran):
    stack = ran[0]["stack"]
    assert stack.signal[-1] > 1e3 * stack.signal[0]
    assert stack.signal_gradient[0] > 1e3 * stack.signal_gradient[-1]
    weights = np.asarray(stack.weight_gradient)
    assert weights.max() < 10 * weights.min()
    assert weights.min() > 1e3


def test_adam_moves_the_first_layer_and_sgd_does_not(ran):
    names, _ = ran
    sgd, adam = (
        np.median(names[one].records["update_ratio"], axis=0) for one in ("monitor", "adam")
    )
    assert 1e-7 < sgd[0] < 1e-5
    assert adam[0] > 1e-3
    assert adam.max() < 5 * adam.min(), "about equal in all layers"


def test_a_dead_layer_makes_all_rows_zero(ran):
    names, said = ran
    before, after = (float(line.split(":")[1]) for line in said["def silent(model, layer, x):"][:2])
    assert before < 0.2
    assert after == 1
    assert (medians(names["dead_monitor"], "gradient_norm") == 0).all()


def test_numbers_that_are_not_finite_are_found_and_grow_before(ran):
    exploded = ran[0]["exploded"]
    assert exploded.first_bad is not None


def test_only_a_clean_wire_hands_its_input_on(ran):
    _, said = ran
    changes = {}
    for line in said["from resnet_lesson import residual_module"]:
        order, _, rest = line.partition(" changes its input by up to ")
        changes[order.strip()] = float(rest)
    assert changes["full_preactivation"] == 0
    assert changes["original"] > 1
    assert changes["bn_after_addition"] > 0
    assert said["from resnet_lesson import build_cifar"] == ["9 additions"]


def test_of_the_rates_the_third_is_best_and_the_largest_breaks(ran):
    lines = ran[1]["for rate in (0.001, 0.01, 0.1, 1.0):"]
    found = [re.findall(r"[\d.]+(?:e[-+]\d+)?|nan", line) for line in lines]
    losses = {float(rate): float(loss) for rate, loss, _ in found}
    updates = {float(rate): float(update) for rate, _, update in found}
    assert min(losses, key=lambda rate: losses[rate]) == 0.1
    assert 3e-3 < updates[0.1] < 3e-2
    assert np.isfinite(losses[1.0])
    assert np.isnan(updates[1.0])


def test_the_model_of_the_page_has_not_learned(ran):
    lines = ran[1][
        'for name, data in {"training": (x, y), "test": (digits.x_test, digits.y_test)}.items():'
    ]
    assert len(lines) == 2
    assert all(float(line.split(":")[1]) < 0.3 for line in lines)
