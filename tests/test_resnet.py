"""The networks: published counts, an independent transcription, and the identity property."""

import numpy as np
import pytest
from article_network import network
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_lesson import ResNet, build, build_cifar, residual_module
from resnet_lesson.runtime import keras, set_seed

EXAMPLE = (64, 64, 3, 200, (3, 4, 6), (64, 128, 256, 512))
# The branch and what follows, as He et al. 2016 draw them in figure 4, for three convolutions.
FIGURE_4 = {
    "original": "conv bn relu conv bn relu conv bn add relu",
    "bn_after_addition": "conv bn relu conv bn relu conv add bn relu",
    "relu_before_addition": "conv bn relu conv bn relu conv bn relu add",
    "relu_only_preactivation": "relu conv bn relu conv bn relu conv bn add",
    "full_preactivation": "bn relu conv bn relu conv bn relu conv add",
}


def trainable(model):
    return sum(weight.value.shape.num_elements() for weight in model.trainable_weights)


def test_the_articles_example():
    model = build(*EXAMPLE)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert (model.count_params(), trainable(model)) == (2_265_748, 2_252_046)
    counts = [kinds.count(kind) for kind in ("Conv2D", "BatchNormalization", "Add")]
    assert counts == [43, 42, 13]
    assert model.name == "resnet"
    assert (ResNet.build, ResNet.residual_module) == (build, residual_module)


@pytest.mark.parametrize(
    ("stages", "filters"),
    [((1, 1, 1), (4, 8, 16, 32)), ((2, 1, 2), (8, 8, 8, 8)), ((1, 3, 1), (6, 4, 24, 12))],
)
@pytest.mark.parametrize("training", [False, True])
def test_build_is_the_articles_function(stages, filters, training):
    arguments = (64, 64, 3, 5, stages, filters)
    ours, theirs = build(*arguments), network(*arguments)
    random = np.random.default_rng(0)
    # Both models list branch and shortcut in their own order: pair the layers by what feeds them.
    for one, other in zip(in_order(ours), in_order(theirs), strict=True):
        values = [0.1 + random.random(weight.shape) * 0.2 for weight in one.get_weights()]
        if isinstance(one, keras.layers.Conv2D):
            values = [random.standard_normal(weight.shape) * 0.2 for weight in one.get_weights()]
        one.set_weights(values)
        other.set_weights(values)
    x = random.standard_normal((4, 64, 64, 3)).astype("float32")
    answers = [model(x, training=training).numpy() for model in (ours, theirs)]
    assert np.ptp(answers[0]) > 1e-3
    np.testing.assert_allclose(*answers, rtol=1e-3, atol=1e-5)


def in_order(model):
    """The layers with weights: from the output back, the branch before the shortcut."""
    found, seen = [], set()

    def visit(tensor):
        layer = tensor._keras_history.operation
        if layer in seen:
            return
        seen.add(layer)
        for node in layer._inbound_nodes:
            for parent in node.input_tensors:
                visit(parent)
        if layer.weights:
            found.append(layer)

    visit(model.output)
    return found


@pytest.mark.parametrize(
    ("depth", "count", "published"),
    [
        (20, 272_282, 0.27),
        (32, 466_714, 0.46),
        (44, 661_146, 0.66),
        (56, 855_578, 0.85),
        (110, 1_730_522, 1.7),
    ],
)
def test_hes_family(depth, count, published):
    model = build_cifar(depth)
    assert trainable(model) == count
    projections = 2_560  # He's shortcuts had no parameters
    # His table keeps two figures, cut rather than rounded at 0.464 and 0.853.
    assert (count - projections) / 1e6 == pytest.approx(published, abs=0.03)


def test_bottleneck_164():
    assert trainable(build_cifar(164, bottleneck=True)) == 1_703_258


def test_reg_reaches_every_convolution_and_the_classifier():
    for model in (build(9, 9, 1, 3, (1, 2), (4, 8, 8), reg=0.25), build_cifar(8, reg=0.25)):
        layers = [layer for layer in model.layers if hasattr(layer, "kernel")]
        assert {float(layer.kernel_regularizer.l2) for layer in layers} == {0.25}
        assert len(model.losses) == len(layers)


def test_names_say_the_place_and_repeat():
    first, second = ([layer.name for layer in build(*EXAMPLE).layers] for _ in range(2))
    assert first == second
    assert {"stage2_unit3_conv1", "stage3_unit1_projection", "stem_conv"} <= set(first)


def module_model(order="full_preactivation", **options):
    image = keras.Input((6, 6, 8))
    return keras.Model(image, residual_module(image, 8, order=order, name="unit", **options))


def test_a_zero_branch_makes_the_module_the_identity():
    model = module_model()
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 8)).astype("float32")
    assert not np.array_equal(model(x, training=True), x)
    model.get_layer("unit_conv3").kernel.assign(np.zeros((1, 1, 2, 8)))
    assert np.array_equal(model(x, training=True), x)


def test_the_projection_takes_the_activated_tensor():
    image = keras.Input((6, 6, 8))
    model = keras.Model(image, residual_module(image, 16, reduce=True, name="unit"))
    assert model.get_layer("unit_projection").input is model.get_layer("unit_relu1").output


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("shortcut", [True, False])
def test_orders_are_those_of_figure_4(order, shortcut):
    short = {"Conv2D": "conv", "BatchNormalization": "bn", "ReLU": "relu", "Add": "add"}
    kinds = [
        short[type(layer).__name__] for layer in module_model(order, shortcut=shortcut).layers[1:]
    ]
    expected = FIGURE_4[order].split()
    assert kinds == [kind for kind in expected if shortcut or kind != "add"]


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("bottleneck", [True, False])
def test_plain_twin_and_sizes_in_every_order(order, bottleneck):
    options = {"order": order, "bottleneck": bottleneck, "input_shape": (8, 8, 1)}
    residual, plain = (
        build_cifar(11 if bottleneck else 8, shortcut=shortcut, base_filters=4, **options)
        for shortcut in (True, False)
    )
    names = [layer.name for layer in plain.layers]
    assert not [name for name in names if "add" in name or "projection" in name]
    extra = sum(layer.count_params() for layer in residual.layers if "projection" in layer.name)
    assert residual.count_params() - extra == plain.count_params()
    assert residual.get_layer("global_pool").input.shape[1:3] == (2, 2)


def test_saves_and_loads_without_our_code(tmp_path):
    set_seed(1)
    model = build_cifar(8, input_shape=(8, 8, 1))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).random((3, 8, 8, 1)).astype("float32")
    assert np.array_equal(model(x), again(x))


def test_a_pair_is_a_stride():
    image = keras.Input((7, 7, 4))
    assert residual_module(image, 8, (2, 2), reduce=True).shape == (None, 4, 4, 8)


REFUSED = [
    (build, {"filters": (4, 6)}, "divisible by 4.*received 6"),
    (build, {"filters": (4, 8, 8)}, "received .4, 8, 8"),
    (build, {"stages": ()}, "non-empty.*received"),
    (build, {"stages": (0,)}, "positive integer, received 0"),
    (build, {"width": 1}, "at least 2 pixels.*received 1"),
    (build, {"classes": True}, "received True"),
    (build, {"reg": -1}, "reg.*received -1"),
    (build, {"bn_momentum": 1}, "bn_momentum.*received 1"),
    (build_cifar, {"depth": 51}, "6n . 2.*received 51"),
    (build_cifar, {"depth": 56, "bottleneck": True, "classes": 0}, "received 0"),
    (build_cifar, {"depth": 8, "bottleneck": True}, "9n . 2.*received 8"),
    (build_cifar, {"order": "random"}, "order.*received 'random'"),
    (build_cifar, {"input_shape": (2, 8, 1)}, "height.*received 2"),
    (residual_module, {"filters": 6}, "divisible by 4.*received 6"),
    (residual_module, {"stride": 2}, "reduce=True.*stride=2"),
    (residual_module, {"stride": (1, 2)}, "received .1, 2."),
    (residual_module, {"filters": 16}, "8 channels, received filters=16"),
    (residual_module, {"channel_axis": 1}, "channels first.*GPU"),
    (residual_module, {"channel_axis": 2}, "received 2"),
    (residual_module, {"stride": 9, "reduce": True}, "stride of 9, received 6x6"),
]
DEFAULTS = {
    build: dict(width=8, height=8, depth=1, classes=2, stages=(1,), filters=(4, 8)),
    build_cifar: dict(depth=8),
}


@pytest.mark.parametrize(("function", "bad", "message"), REFUSED)
def test_impossible_input_is_refused_before_any_layer(function, bad, message, monkeypatch):
    defaults = DEFAULTS.get(function) or {"data": keras.Input((6, 6, 8)), "filters": 8}

    def no_layer(*_args, **_kwargs):
        raise AssertionError("a layer was made")

    monkeypatch.setattr(keras.layers.Conv2D, "__init__", no_layer)
    monkeypatch.setattr(keras.layers.BatchNormalization, "__init__", no_layer)
    with pytest.raises(ValueError, match=message):
        function(**(defaults | bad))


@settings(derandomize=True, deadline=None, max_examples=25)
@given(
    stages=st.lists(st.integers(1, 2), min_size=1, max_size=2),
    quarters=st.lists(st.integers(1, 3), min_size=2, max_size=3),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    stem=st.integers(1, 5),
    off=st.sampled_from([0, 0, 0, 1]),
)
def test_build_is_refused_or_as_predicted(stages, quarters, size, stem, off):
    filters = [stem, *(4 * quarter + off for quarter in quarters[1:])]
    arguments = (*size, 2, 3, tuple(stages), tuple(filters))
    least = 2 ** (len(stages) - 1) + 1
    if off or len(filters) != len(stages) + 1 or min(size) < least:
        with pytest.raises(ValueError, match="received"):
            build(*arguments)
        return
    model = build(*arguments)
    assert model.output_shape == (None, 3)
    assert model.count_params() == predicted(2, 3, stages, filters)
    rows, columns = (-(-value // 2 ** len(stages)) for value in reversed(size))
    assert model.get_layer("global_pool").input.shape[1:] == (rows, columns, filters[-1])


def predicted(depth, classes, stages, filters):
    """Parameters by hand: four a channel for each norm, no biases but the classifier's."""
    total = 4 * depth + 25 * depth * filters[0] + 4 * filters[0]
    before = filters[0]
    for units, after in zip(stages, filters[1:], strict=True):
        q = after // 4
        for unit in range(units):
            total += 4 * before + 8 * q + before * q + 9 * q * q + q * after
            total += before * after if unit == 0 else 0
            before = after
    return total + 4 * before + (before + 1) * classes


@settings(derandomize=True, deadline=None, max_examples=300)
@given(depth=st.integers(-5, 200), bottleneck=st.booleans())
def test_impossible_depths_are_named(depth, bottleneck):
    per_unit = 9 if bottleneck else 6
    if depth >= per_unit + 2 and depth % per_unit == 2:
        return
    with pytest.raises(ValueError, match=f"received {depth}"):
        build_cifar(depth, bottleneck=bottleneck)
