"""A branch that starts at zero leaves the identity, and nothing else is changed."""

import numpy as np
import pytest

from resnet_lesson.data import load
from resnet_lesson.networks.cifar import build_cifar
from resnet_lesson.networks.dissect import branch_shares
from resnet_lesson.runtime import keras, set_seed
from resnet_lesson.studies import near_identity
from resnet_lesson.studies.trainer import NETWORK, Trainer, build_fused

pytestmark = pytest.mark.slow

DEPTH, MODULES = 8, 3


def built(variant, seed=0):
    set_seed(seed)
    return near_identity.build_without_bn(DEPTH, variant)


def signals(model):
    """The signal at the stem's end and after each module."""
    sums = [layer.output for layer in model.layers if layer.name.endswith("add")]
    inner = keras.Model(model.input, [model.get_layer("stem_conv").output, *sums])
    return [np.asarray(part) for part in inner(load("digits").x_train[:4])]


def test_without_bn_it_is_the_same_network_but_for_that():
    """A BN layer with its initial statistics divides by sqrt(1 + 2e-5), and does no more."""
    set_seed(0)
    with_bn = build_cifar(DEPTH, **NETWORK)
    kernels = [w for w in with_bn.weights if "bn" not in w.path]
    model = built("sum")
    assert [w.path for w in model.weights] == [w.path for w in kernels]
    model.set_weights(kernels)
    x = load("digits").x_test[:20]
    np.testing.assert_allclose(model(x), with_bn(x, training=False), rtol=1e-3, atol=1e-4)


def test_a_module_is_two_rectified_convolutions_and_the_sum():
    model = built("sum")
    start, after, *_ = signals(model)
    branch = start
    for name in ("stage1_unit1_conv1", "stage1_unit1_conv2"):
        branch = convolved(np.maximum(branch, 0), np.asarray(model.get_layer(name).kernel))
    np.testing.assert_allclose(after, start + branch, rtol=1e-4, atol=1e-5)
    scaled = signals(built("root_of_depth"))
    np.testing.assert_array_equal(scaled[0], start)
    np.testing.assert_allclose(scaled[1], start + branch / np.sqrt(3), rtol=1e-4, atol=1e-5)


def convolved(images, kernel):
    """A 3x3 convolution that keeps the size, in NumPy."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.einsum("bhwcij,ijco->bhwo", windows, kernel)


@pytest.mark.parametrize("variant", ["scalar_zero", "last_zero"])
def test_a_zero_branch_is_the_identity_until_a_step_moves_it(variant):
    start, *rest = signals(built(variant))
    for after in rest:
        np.testing.assert_array_equal(after, start)
    trainer = Trainer(DEPTH, variant, build=near_identity.build_without_bn)
    trainer.restart(0)
    next(trainer.epochs(0.01, warmup=0, seed=0))
    start, *rest = signals(trainer.model)
    assert all(np.any(after != start) for after in rest)


@pytest.mark.parametrize("variant", ["scalar_zero", "last_zero"])
def test_the_identity_grows_by_exactly_nothing(variant):
    (row,) = near_identity.measure("growth", variant, DEPTH, None, None, seed=0)
    assert row == {"log10_growth": 0.0, "log10_gradient_ratio": 0.0}


def test_sums_grow_by_a_factor_a_module_and_the_root_of_the_depth_stops_that():
    def growth(variant, depth):
        (row,) = near_identity.measure("growth", variant, depth, None, None, seed=0)
        return row["log10_growth"]

    # A module doubles the mean square but at the borders, where a convolution sees zeros.
    assert 0.5 < (growth("sum", 26) - growth("sum", 14)) / (6 * np.log10(2) / 2) < 1
    assert 0 < growth("root_of_depth", 26) < np.log10(np.exp(0.5))  # (1 + 1/n)^(n/2)


@pytest.mark.parametrize("variant", near_identity.VARIANTS)
def test_only_what_is_learned_is_trained(variant):
    trained = {weight.path for weight in built(variant).trainable_weights}
    kernels = 1 + 2 * MODULES
    scales = MODULES if variant == "scalar_zero" else 0
    assert len(trained) == kernels + scales + 2  # and the classifier's two


def test_the_share_of_a_branch_is_its_part_of_the_variance():
    model = build_fused(DEPTH, shortcut=True)
    digits = load("digits").x_train[:64]
    first, second, third = branch_shares(model, digits)
    assert 1 > first > second > third > 0
    kernel = model.get_layer("stage1_unit2_conv2").kernel
    kernel.assign(0 * kernel)
    assert branch_shares(model, digits)[:2] == [first, 0.0]
    kernel.assign(0 * kernel + 1e6)
    assert branch_shares(model, digits)[1] == pytest.approx(1, abs=1e-3)


def test_there_is_a_share_for_each_module():
    rows = near_identity.measure("share", "batch_norm", DEPTH, None, None, seed=0)
    assert [row["module"] for row in rows] == [1, 2, 3]
    assert all(0 < row["branch_share"] < 1 for row in rows)


def test_a_run_that_leaves_the_numbers_says_so(monkeypatch):
    monkeypatch.setattr(near_identity, "EPOCHS", (1,))
    (row,) = near_identity.measure("training", "sum", DEPTH, 1e6, None, seed=0)
    assert row == {
        "epochs": 1,
        "train_accuracy": None,
        "test_accuracy": None,
        "diverged": True,
    }


def test_the_ordinary_network_learns(monkeypatch):
    monkeypatch.setattr(near_identity, "EPOCHS", (2,))
    (row,) = near_identity.measure("training", "batch_norm", DEPTH, 0.1, None, seed=0)
    assert row["train_accuracy"] > 0.5
    assert not row["diverged"]


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match=r"variant must be one of sum, .*, received 'half'"):
        near_identity.build_without_bn(DEPTH, "half")


def test_the_grid_asks_each_part_what_it_needs():
    grid = near_identity.STUDY.grid
    parts = {p: [c for c in grid if c["part"] == p] for p in ("growth", "training", "share")}
    assert {part: len(found) for part, found in parts.items()} == {
        "growth": 4 * 3,
        "training": (4 * 2 + 1) * 5,
        "share": 3,
    }
    assert {c["variant"] for c in parts["growth"]} == set(near_identity.VARIANTS)
    assert {c["variant"] for c in parts["training"]} == {*near_identity.VARIANTS, "batch_norm"}
    assert all((c["learning_rate"] is None) == (c["part"] != "training") for c in grid)
