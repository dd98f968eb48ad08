"""The race in the page trains as Keras does: the same networks, batches and steps.

Its twin of 64 bits, from the same C, follows Keras in float64 to the last digits; what is shipped
computes in 32 bits, and follows its twin.
"""

import json
import subprocess
from pathlib import Path

import bundle
import numpy as np
import page_programs
import pytest
from scipy.stats import mannwhitneyu

from resnet_lesson import studies
from resnet_lesson.gradients.probe import gradient_norms
from resnet_lesson.runtime import keras
from resnet_lesson.studies import race

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[1] / "javascript/race.js"
PIXELS, WIDTH, MOST, PADDED, CLASSES, BATCH = 64, 32, 60, 16, 10, 64
STEPS = 24  # more than the 20 of an epoch
SHAPES = {
    "stem": (PIXELS, WIDTH),
    "weight": (MOST, WIDTH, WIDTH),
    "scale": (MOST + 1, WIDTH),
    "shift": (MOST + 1, WIDTH),
    "head": (WIDTH, PADDED),
    "bias": (PADDED,),
}
COUNT = sum(int(np.prod(shape)) for shape in SHAPES.values())


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return page_programs.written(tmp_path_factory.mktemp("programs"), "race")


def in_the_page(programs, real, networks, rate, steps=STEPS, parameters=COUNT):
    """What race.js prints of each: parameters before and after, steps, the order of each epoch."""
    settings = {"networks": networks, "rate": rate, "steps": steps, "parameters": parameters}
    command = [bundle.NODE, SCRIPT, programs / real, programs / "digits", real]
    printed = subprocess.run(
        [*command, json.dumps(settings)], check=True, capture_output=True, encoding="utf-8"
    )
    said = [json.loads(line) for line in printed.stdout.splitlines()]
    assert len(said) == len(networks)
    return said


def wrong_at_the_end(programs, networks, rate):
    """The share of wrong answers in the last three epochs of 30, as in the study, of each."""
    said = in_the_page(programs, "float", networks, rate, steps=600, parameters=0)
    return [np.mean([step["wrong"] for step in one["taken"][-60:]]) for one in said]


def named(parameters, depth):
    """The page's numbers by name, as many as a network of this depth has."""
    parts, at = {}, 0
    for name, shape in SHAPES.items():
        count = int(np.prod(shape))
        parts[name] = np.array(parameters[at : at + count]).reshape(shape)
        at += count
    for name, layers in (("weight", depth), ("scale", depth + 1), ("shift", depth + 1)):
        parts[name] = parts[name][:layers]
    parts["head"], parts["bias"] = parts["head"][:, :CLASSES], parts["bias"][:CLASSES]
    return parts


def set_weights(model, parts, depth):
    model.get_layer("stem").kernel.assign(parts["stem"])
    model.get_layer("head").kernel.assign(parts["head"])
    model.get_layer("head").bias.assign(parts["bias"])
    for index in range(depth):
        model.get_layer(f"weight{index}").kernel.assign(parts["weight"][index])
    for index in range(depth + 1):
        norm = model.get_layer(f"norm{index}")
        norm.gamma.assign(parts["scale"][index])
        norm.beta.assign(parts["shift"][index])


@pytest.mark.parametrize("shortcut", [False, True])
def test_it_trains_as_keras_does(programs, shortcut):
    depth, rate = 6, 0.03
    network = {"depth": depth, "shortcut": shortcut, "seed": 3}
    (said,) = in_the_page(programs, "double", [network], rate)
    model = race.network(depth, shortcut, "float64")
    set_weights(model, named(said["before"], depth), depth)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy")
    x, y = race.digits()
    for step, taken in enumerate(said["taken"]):
        order = said["orders"][step // 20]
        chosen = order[step % 20 * BATCH :][:BATCH]
        norms = {
            each.layer: each.gradient_norm for each in gradient_norms(model, x[chosen], y[chosen])
        }
        expected = [norms[f"weight{index}"] for index in range(depth)]
        np.testing.assert_allclose(taken["norms"], expected, rtol=1e-4)
        answers = model(x[chosen], training=True).numpy().argmax(axis=1)
        assert taken["wrong"] == pytest.approx(np.mean(answers != y[chosen]))
        model.train_on_batch(x[chosen], y[chosen])
    assert [sorted(order) for order in said["orders"]] == [list(range(1280))] * 2
    assert said["orders"][0] != said["orders"][1]
    after = named(said["after"], depth)
    np.testing.assert_allclose(model.get_layer("stem").kernel.numpy(), after["stem"], atol=1e-6)
    np.testing.assert_allclose(model.get_layer("head").bias.numpy(), after["bias"], atol=1e-6)
    first = model.get_layer("norm0")
    np.testing.assert_allclose(first.gamma.numpy(), after["scale"][0], atol=1e-6)
    np.testing.assert_allclose(first.beta.numpy(), after["shift"][0], atol=1e-6)


@pytest.mark.parametrize("shortcut", [False, True])
def test_what_is_shipped_follows_its_twin(programs, shortcut):
    network = {"depth": 10, "shortcut": shortcut, "seed": 0}
    (shipped,), (twin,) = (
        in_the_page(programs, real, [network], 0.03, 5) for real in ("float", "double")
    )
    np.testing.assert_allclose(shipped["before"], twin["before"], rtol=1e-6)
    for one, other in zip(shipped["taken"], twin["taken"], strict=True):
        np.testing.assert_allclose(one["norms"], other["norms"], rtol=2e-2)


def test_twins_of_both_kinds_begin_with_the_same_draws(programs):
    kinds = [{"depth": 10, "shortcut": shortcut, "seed": 0} for shortcut in (False, True)]
    networks = [*kinds, kinds[0] | {"seed": 1}]
    plain, residual, other = in_the_page(programs, "float", networks, 0.03, 1)
    assert plain["before"] == residual["before"]
    assert plain["orders"] == residual["orders"]
    assert other["before"] != plain["before"]


def test_degradation_is_seen(programs):
    """The claim of the page: a deep plain network fails where its residual twin learns."""
    kinds = [(2, False), (30, False), (30, True)]
    networks = [{"depth": depth, "shortcut": shortcut, "seed": 0} for depth, shortcut in kinds]
    wrong = dict(zip(kinds, wrong_at_the_end(programs, networks, 0.03), strict=True))
    assert wrong[2, False] < 0.02
    assert wrong[30, True] < 0.02
    assert wrong[30, False] > 0.25


@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("depth", [2, 10, 20, 30, 40, 60])
def test_the_pages_networks_end_where_tensorflows_do(programs, depth, shortcut):
    """By their ranks, ten trainings of the page cannot be told from the five on record."""
    rate = 0.03
    networks = [{"depth": depth, "shortcut": shortcut, "seed": seed} for seed in range(10)]
    page = wrong_at_the_end(programs, networks, rate)
    record = studies.record("race").where(depth=depth, shortcut=shortcut, learning_rate=rate)
    recorded = record.where(epochs=30)["wrong"]
    assert len(recorded) == 5
    assert mannwhitneyu(page, recorded).pvalue > 0.01
    if depth >= 30:
        assert (max(page) < 0.05) if shortcut else (min(page) > 0.25)
