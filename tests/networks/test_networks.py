"""The networks: published counts, an independent transcription, and the identity property."""

import re
from types import SimpleNamespace

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
    same = ResNet.build(*EXAMPLE)
    assert [layer.name for layer in same.layers] == [layer.name for layer in model.layers]


def test_the_articles_calls_run_as_they_stand():
    image = keras.Input((32, 32, 64))
    module = ResNet.residual_module(
        image, 128, (1, 1), -1, red=True, reg=0.0001, bnEps=2e-5, bnMom=0.9
    )
    assert module.shape == (None, 32, 32, 128)
    module = ResNet.residual_module(image, K=64, stride=(1, 1), chanDim=3, red=False)
    assert module.shape == (None, 32, 32, 64)
    model = ResNet.build(
        64, 64, 3, 10, (1, 1, 1), (8, 16, 32, 64), reg=0.0005, bnEps=3e-5, bnMom=0.8
    )
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {(norm.epsilon, norm.momentum) for norm in norms} == {(3e-5, 0.8)}
    assert float(model.get_layer("classifier").kernel_regularizer.l2) == pytest.approx(5e-4)
    assert ResNet.build.__doc__ == build.__doc__


def test_one_argument_is_spelt_one_way_and_unknown_ones_are_unknown():
    image = keras.Input((8, 8, 8))
    with pytest.raises(ValueError, match=r"reduce .*given once, received reduce=True and red=Fal"):
        ResNet.residual_module(image, 8, red=False, reduce=True)
    with pytest.raises(TypeError, match="multiple values for argument 'filters'"):
        ResNet.residual_module(image, 8, K=8)
    with pytest.raises(TypeError, match="unexpected keyword argument 'K'"):
        ResNet.build(*EXAMPLE[:-1], K=EXAMPLE[-1])
    for call in (lambda **given: residual_module(image, 8, **given), ResNet.residual_module):
        with pytest.raises(TypeError, match="unexpected keyword argument 'bnEpsilon'"):
            call(bnEpsilon=1e-5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'red'"):
        residual_module(image, 8, red=False)
    with pytest.raises(ValueError, match=r"bn_momentum must be .*received 2"):
        ResNet.build(*EXAMPLE, bnMom=2)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int32])
def test_numpy_arrays_and_integers_are_sizes(kind):
    stages, filters = np.array([1, 2], kind), np.array([4, 8, 240], kind)
    ours = build(kind(9), kind(9), kind(1), kind(3), [1, 2], [4, 8, 240])
    for model in (
        build(9, 9, 1, 3, stages, filters),
        ResNet.build(9, 9, 1, 3, tuple(stages), list(filters)),
    ):
        assert model.count_params() == ours.count_params()
    made = build_cifar(kind(8), input_shape=np.array([8, 6, 1], kind), base_filters=kind(4))
    assert made.input_shape == (None, 8, 6, 1)
    with pytest.raises(ValueError, match=r"filters must be a non-empty list.*received \[\]"):
        build(9, 9, 1, 3, stages, np.array([], kind))
    with pytest.raises(ValueError, match=r"stages\[0\] must be a positive integer, received 1.0"):
        build(9, 9, 1, 3, np.array([1.0, 2.0]), filters)
    with pytest.raises(ValueError, match=r"stages must be a non-empty list or tuple, received 2"):
        build(9, 9, 1, 3, kind(2), filters)
    with pytest.raises(ValueError, match=r"stages\[0\] must be a positive.*received \[1, 2\]"):
        build(9, 9, 1, 3, stages[None], filters)


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("bottleneck", [True, False])
def test_the_first_shortcut_leaves_a_bare_stem_only_where_the_docstring_says(order, bottleneck):
    """He et al. 2016: the first activation right after the stem and before the two paths part."""
    model = build_cifar(
        11 if bottleneck else 8, order=order, bottleneck=bottleneck, input_shape=(4, 4, 1)
    )
    ends = [tensor._keras_history.operation for tensor in model.get_layer("stage1_unit1_add").input]
    (end,) = [layer for layer in ends if not re.search(r"unit1_(conv|relu|bn)", layer.name)]
    while "projection" in end.name:
        end = end.input._keras_history.operation
    bare = not bottleneck and "preactivation" in order
    assert isinstance(end, keras.layers.ReLU) is not bare
    if bare:
        assert end.name == ("stem_conv" if order == "full_preactivation" else "stem_bn1")


@pytest.mark.parametrize(
    ("stages", "filters"),
    [((1, 1, 1), (4, 8, 16, 32)), ((2, 1, 2), (8, 8, 8, 8)), ((1, 3, 1), (6, 4, 24, 12))],
)
@pytest.mark.parametrize("training", [False, True])
def test_build_is_the_articles_function(stages, filters, training):
    set_seed(0)
    arguments = (64, 64, 3, 5, stages, filters)
    ours, theirs = build(*arguments), network(*arguments)
    random = np.random.default_rng(0)
    # Both models list branch and shortcut in their own order: pair the layers by what feeds them.
    for one, other in zip(in_order(ours), in_order(theirs), strict=True):
        # Every statistic of a norm far from the 1 and 0 it starts with, the variance positive.
        values = [0.5 + random.random(weight.shape) for weight in one.get_weights()]
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
    digits = len(str(published).split(".")[1])
    # Rounded, not cut: cutting would print 0.26 for ResNet-20 and 0.65 for ResNet-44.
    assert round((count - projections) / 1e6, digits) == published


def test_bottleneck_164():
    assert trainable(build_cifar(164, bottleneck=True)) == 1_703_258


def test_reg_reaches_every_convolution_and_the_classifier():
    for model in (build(9, 9, 1, 3, (1, 2), (4, 8, 8), reg=0.25), build_cifar(8, reg=0.25)):
        layers = [layer for layer in model.layers if hasattr(layer, "kernel")]
        assert {float(layer.kernel_regularizer.l2) for layer in layers} == {0.25}
        assert len(model.losses) == len(layers)
        penalty = sum(0.25 * float(np.sum(layer.kernel.numpy() ** 2)) for layer in layers)
        assert float(sum(model.losses)) == pytest.approx(penalty, rel=1e-4)


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


def test_a_single_stage_is_one_identity_wire():
    model = build_cifar(8, stages=1, input_shape=(5, 5, 1), order="full_preactivation")
    assert not [layer.name for layer in model.layers if "projection" in layer.name]
    for layer in model.layers:
        if layer.name.endswith("_conv2"):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    ends = keras.Model(
        model.input,
        [model.get_layer(name).output for name in ("stem_conv", "stage1_unit3_add")],
    )
    stem, end = ends(np.random.default_rng(0).random((2, 5, 5, 1)), training=True)
    assert np.array_equal(stem, end)


def test_the_projection_takes_the_activated_tensor():
    image = keras.Input((6, 6, 8))
    model = keras.Model(image, residual_module(image, 16, reduce=True, name="unit"))
    assert model.get_layer("unit_projection").input is model.get_layer("unit_relu1").output


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("shortcut", [True, False])
def test_orders_are_those_of_figure_4(order, shortcut):
    layers = module_model(order, shortcut=shortcut).layers[1:]
    kinds = [KINDS[type(layer).__name__] for layer in layers]
    expected = FIGURE_4[order].split()
    assert kinds == [kind for kind in expected if shortcut or kind != "add"]


# The same for a basic module: two convolutions.
BASIC = {
    "original": "conv bn relu conv bn add relu",
    "bn_after_addition": "conv bn relu conv add bn relu",
    "relu_before_addition": "conv bn relu conv bn relu add",
    "relu_only_preactivation": "relu conv bn relu conv bn add",
    "full_preactivation": "bn relu conv bn relu conv add",
}
# What a projected shortcut starts from (the input or the activated tensor), and its own norm.
PROJECTIONS = {
    "original": ("input", True),
    "bn_after_addition": ("input", False),
    "relu_before_addition": ("input", True),
    "relu_only_preactivation": ("relu1", True),
    "full_preactivation": ("relu1", False),
}
# What stands before the first module and after the last, as a module of the order leaves it out.
AROUND = {
    "original": ("stem_bn1", "stem_relu1"),
    "bn_after_addition": ("stem_bn1", "stem_relu1"),
    "relu_before_addition": ("stem_bn1", "stem_relu1"),
    "relu_only_preactivation": ("stem_bn1", "final_relu1"),
    "full_preactivation": ("final_bn1", "final_relu1"),
}
KINDS = {"Conv2D": "conv", "BatchNormalization": "bn", "ReLU": "relu", "Add": "add"}


@pytest.mark.parametrize("order", FIGURE_4)
@pytest.mark.parametrize("bottleneck", [True, False])
def test_the_family_has_the_orders_of_figure_4(order, bottleneck):
    depth, expected = (20, FIGURE_4) if bottleneck else (14, BASIC)
    model = build_cifar(
        depth, order=order, bottleneck=bottleneck, base_filters=4, input_shape=(8, 8, 1)
    )
    for stage in (1, 2, 3):
        for unit in (1, 2):
            place = f"stage{stage}_unit{unit}_"
            found = [
                KINDS[type(layer).__name__]
                for layer in model.layers
                if layer.name.startswith(place) and "projection" not in layer.name
            ]
            assert found == expected[order].split()
    outside = {layer.name for layer in model.layers if layer.name.startswith(("stem_", "final_"))}
    assert outside == {"stem_conv", *AROUND[order]}


@pytest.mark.parametrize("order", FIGURE_4)
def test_the_projection_of_each_order(order):
    image = keras.Input((6, 6, 8), name="input")
    output = residual_module(image, 16, 2, reduce=True, order=order, name="unit")
    model = keras.Model(image, output)
    source, normed = PROJECTIONS[order]
    start = image if source == "input" else model.get_layer(f"unit_{source}").output
    assert model.get_layer("unit_projection").input is start
    assert ("unit_projection_bn" in [layer.name for layer in model.layers]) is normed
    end = model.get_layer("unit_projection_bn" if normed else "unit_projection").output
    assert any(tensor is end for tensor in model.get_layer("unit_add").input)
    # The stride is at the 3x3 convolution and at the projection, nowhere else.
    strides = {
        layer.name: layer.strides
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    }
    strided = {name for name, value in strides.items() if value == (2, 2)}
    assert strided == {"unit_conv2", "unit_projection"}


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


@pytest.mark.parametrize(
    "make",
    [
        lambda: build_cifar(8, input_shape=(8, 8, 1)),
        lambda: build(8, 8, 1, 3, (1, 2), (4, 8, 8)),
        lambda: module_model("original"),
    ],
    ids=["build_cifar", "build", "residual_module"],
)
def test_saves_and_loads_without_our_code(make, tmp_path):
    set_seed(1)
    model = make()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    x = np.random.default_rng(0).random((3, *model.input_shape[1:])).astype("float32")
    assert np.array_equal(model(x), again(x))
    layers = [type(layer).__module__ for layer in again.layers]
    assert all(module.startswith("keras.") for module in layers)


def test_a_pair_is_a_stride():
    image = keras.Input((7, 7, 4))
    for stride in (2, (2, 2), [2, 2]):
        assert residual_module(image, 8, stride, reduce=True).shape == (None, 4, 4, 8)


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr("resnet_lesson.networks.residual.has_gpu", lambda: False)


@pytest.mark.usefixtures("channels_first", "no_gpu", "no_layer")
def test_build_on_a_cpu_refuses_keras_set_to_channels_first():
    with pytest.raises(ValueError, match=r"channels first.*GPU.*received channel_axis=1 on a CPU"):
        build(*EXAMPLE)


@pytest.mark.usefixtures("channels_first")
def test_channels_last_stays_so_whatever_keras_is_set_to():
    model = build_cifar(8, input_shape=(8, 6, 1))
    assert model.get_layer("global_pool").input.shape == (None, 2, 2, 64)
    assert model(np.zeros((1, 8, 6, 1), "float32")).shape == (1, 10)
    image = keras.Input((6, 6, 8))
    assert residual_module(image, 16, 2, reduce=True).shape == (None, 3, 3, 16)


REFUSED = [
    (build, {"filters": (4, 6)}, "divisible by 4.*received 6"),
    (build, {"filters": (4, 8, 8)}, "received .4, 8, 8"),
    (build, {"stages": ()}, "non-empty.*received"),
    (build, {"stages": (0,)}, "positive integer, received 0"),
    (build, {"stages": 3}, "stages.*received 3"),
    (build, {"stages": (1, 1)}, r"2 stages need 3 filters, received \(4, 8\)"),
    (build, {"filters": ()}, r"filters.*received \(\)"),
    (build, {"filters": (0, 8)}, r"filters\[0\].*received 0"),
    (build, {"filters": (4, -8)}, r"filters\[1\].*received -8"),
    (build, {"depth": 0}, "depth.*received 0"),
    (build, {"height": -3}, "height.*received -3"),
    (build, {"width": 8.5}, "width.*received 8.5"),
    (build, {"width": 1}, "at least 2 pixels.*received 1"),
    (
        build,
        {"height": 4, "stages": (1, 1, 1), "filters": (4, 8, 8, 8)},
        "height must be at least 5 pixels to be halved 3 times, received 4",
    ),
    (build, {"reg": float("nan")}, "reg.*received nan"),
    (build, {"classes": True}, "received True"),
    (build, {"reg": -1}, "reg.*received -1"),
    (build, {"bn_momentum": 1}, "bn_momentum.*received 1"),
    (build_cifar, {"depth": 51}, "6n . 2.*received 51"),
    (build_cifar, {"depth": 2}, "n at least 1, received 2"),
    (build_cifar, {"stages": 2}, "4n . 2.*received 8"),
    (build_cifar, {"stages": 0}, "stages must be a positive integer, received 0"),
    (build_cifar, {"stages": 1, "input_shape": (0, 1, 1)}, r"input_shape\[0\].*received 0"),
    (build_cifar, {"depth": 0}, "depth.*received 0"),
    (build_cifar, {"depth": 20.0}, "depth.*received 20.0"),
    (build_cifar, {"base_filters": 0}, "base_filters.*received 0"),
    (build_cifar, {"input_shape": (8, 8)}, r"input_shape.*received \(8, 8\)"),
    (build_cifar, {"input_shape": (8, 8, 0)}, r"input_shape\[2\].*received 0"),
    (build_cifar, {"bottleneck": 1}, "bottleneck.*received 1"),
    (build_cifar, {"reg": -0.5}, "reg.*received -0.5"),
    (build_cifar, {"depth": 56, "bottleneck": True, "classes": 0}, "received 0"),
    (build_cifar, {"depth": 8, "bottleneck": True}, "9n . 2.*received 8"),
    (build_cifar, {"order": "random"}, "order.*received 'random'"),
    (build_cifar, {"input_shape": (2, 8, 1)}, "height.*received 2"),
    (residual_module, {"filters": 6}, "divisible by 4.*received 6"),
    (residual_module, {"stride": 2}, "reduce=True.*stride=2"),
    (residual_module, {"stride": (1, 2)}, "received .1, 2."),
    (residual_module, {"filters": 16}, "8 channels, received filters=16"),
    (residual_module, {"channel_axis": 1}, "channels first.*GPU.*channel_axis=1"),
    (residual_module, {"channel_axis": True}, "channel_axis.*received True"),
    (residual_module, {"filters": 0}, "filters.*received 0"),
    (residual_module, {"filters": -8}, "filters.*received -8"),
    (residual_module, {"filters": 8.0}, "filters.*received 8.0"),
    (residual_module, {"stride": 0}, "stride.*received 0"),
    (residual_module, {"stride": ()}, r"stride.*received \(\)"),
    (residual_module, {"stride": (2, 2), "filters": 16}, "reduce=True.*stride=2"),
    (residual_module, {"order": "preactivation"}, "order.*received 'preactivation'"),
    (residual_module, {"order": None}, "order.*received None"),
    (residual_module, {"reduce": "no"}, "reduce.*received 'no'"),
    (residual_module, {"shortcut": 0}, "shortcut.*received 0"),
    (residual_module, {"reg": "l2"}, "reg.*received 'l2'"),
    (residual_module, {"bn_epsilon": 0}, "bn_epsilon.*received 0"),
    (residual_module, {"name": "a/b"}, "name.*received 'a/b'"),
    (residual_module, {"data": keras.Input((8,))}, r"data.*received shape \(None, 8\)"),
    (residual_module, {"data": keras.Input((6, 6, None))}, "known channels.*None, 6, 6, None"),
    (residual_module, {"channel_axis": 2}, "received 2"),
    (residual_module, {"stride": 9, "reduce": True}, "stride of 9, received 6x6"),
]
IMAGE = keras.Input((6, 6, 8))
DEFAULTS = {
    build: dict(width=8, height=8, depth=1, classes=2, stages=(1,), filters=(4, 8)),
    build_cifar: dict(depth=8),
}


@pytest.fixture
def no_layer(monkeypatch):
    def refuse(layer, *_args, **_kwargs):
        raise AssertionError(f"a layer was made: {type(layer).__name__}")

    monkeypatch.setattr(keras.layers.Layer, "__init__", refuse)


@pytest.mark.usefixtures("no_gpu", "no_layer")
@pytest.mark.parametrize(("function", "bad", "message"), REFUSED)
def test_impossible_input_is_refused_before_any_layer(function, bad, message):
    # The module's own input was made with the list above, before layers were forbidden.
    defaults = DEFAULTS.get(function) or {"data": IMAGE, "filters": 8}
    with pytest.raises(ValueError, match=message):
        function(**(defaults | bad))


@pytest.mark.usefixtures("no_layer")
def test_the_guard_sees_a_layer():
    with pytest.raises(AssertionError, match="a layer was made"):
        build(**DEFAULTS[build])


class Unbuilt(Exception):
    """Stops a valid configuration at its first layer: predictions of refusal cost nothing."""


def outcome(function, **arguments):
    """What comes first: None for a layer, or the message of the refusal."""

    def stop(*_args, **_kwargs):
        raise Unbuilt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.layers.Layer, "__init__", stop)
        try:
            function(**arguments)
        except Unbuilt:
            return None
        except ValueError as error:
            return str(error)
    raise AssertionError("neither a layer nor a refusal")


def expect(bad, message):
    """``bad``: the values an oracle calls impossible; none means that the input is valid."""
    if not bad:
        assert message is None
    else:
        assert message is not None
        assert any(repr(value) in message.split("received")[-1] for value in bad), message


def mostly(good, bad):
    """Bad one time in twenty: of some ten values drawn, about half the examples stay valid."""
    return st.sampled_from([good] * 19 + [bad]).flatmap(lambda strategy: strategy)


SIZES = mostly(st.integers(9, 40), st.integers(-2, 12))
COUNTS = mostly(st.integers(1, 8), st.sampled_from([0, -1, 2.5, None, True]))
WIDTHS = mostly(st.integers(1, 64).map(lambda n: 4 * n), st.integers(-4, 40))


def positive(value):
    return type(value) is int and value > 0


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(
    width=SIZES,
    height=SIZES,
    depth=COUNTS,
    classes=COUNTS,
    stages=mostly(st.lists(COUNTS, min_size=1, max_size=5), st.just([])),
    stem=COUNTS,
    filters=st.lists(WIDTHS, max_size=5),
    same_length=mostly(st.just(True), st.just(False)),
)
def test_build_refuses_what_an_oracle_refuses(
    width, height, depth, classes, stages, stem, filters, same_length
):
    if same_length:  # else nearly every example fails by its lengths alone
        filters = (filters + [8] * len(stages))[: len(stages)]
    filters = (stem, *filters)
    stages = tuple(stages)
    bad = [value for value in (width, height, depth, classes) if not positive(value)]
    bad += [value for value in (*stages, *filters) if not positive(value)]
    bad += [value for value in filters[1:] if value % 4]
    bad += [] if stages else [stages]
    bad += [] if len(filters) == len(stages) + 1 else [filters]
    # Halve by the strides, rounding up, until one pixel is left with a halving still to come.
    for size in (width, height):
        left = size
        for _ in stages:
            bad += [size] if left < 2 else []
            left = -(-left // 2)
    message = outcome(
        build,
        width=width,
        height=height,
        depth=depth,
        classes=classes,
        stages=stages,
        filters=filters,
    )
    expect(bad, message)


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(
    depth=mostly(st.integers(1, 15).map(lambda n: 36 * n + 2), st.integers(-5, 200)),
    order=st.sampled_from([*FIGURE_4, *FIGURE_4, "random", "", 3]),
    bottleneck=st.booleans(),
    shortcut=st.booleans(),
    stages=mostly(st.integers(1, 4), st.sampled_from([0, -2, 1.5, True])),
    base_filters=COUNTS,
    rows=SIZES,
    columns=SIZES,
    channels=COUNTS,
    classes=COUNTS,
)
def test_build_cifar_refuses_what_an_oracle_refuses(
    depth, order, bottleneck, shortcut, stages, base_filters, rows, columns, channels, classes
):
    counts = (depth, stages, base_filters, rows, columns, channels, classes)
    bad = [value for value in counts if not positive(value)]
    bad += [] if order in FIGURE_4 else [order]
    if positive(stages):
        per_unit = stages * (3 if bottleneck else 2)
        bad += [] if depth in range(per_unit + 2, 1000, per_unit) else [depth]
        least = {1: 1, 2: 2, 3: 3, 4: 5}[stages]  # 5 -> 3 -> 2 -> 1: three halvings
        bad += [size for size in (rows, columns) if size < least]
    message = outcome(
        build_cifar,
        depth=depth,
        order=order,
        bottleneck=bottleneck,
        shortcut=shortcut,
        stages=stages,
        base_filters=base_filters,
        input_shape=(rows, columns, channels),
        classes=classes,
    )
    expect(bad, message)


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(
    filters=WIDTHS,
    stride=mostly(st.integers(1, 3), st.sampled_from([0, -1, 1.5, (1, 2), (), True, 40])),
    side=st.integers(1, 12),
    channels=st.integers(1, 64),
    reduce=mostly(st.booleans(), st.sampled_from([0, "no", None])),
    shortcut=mostly(st.booleans(), st.sampled_from([1, "yes", None])),
    order=mostly(st.sampled_from(sorted(FIGURE_4)), st.sampled_from(["preactivation", None])),
)
def test_residual_module_refuses_what_an_oracle_refuses(
    filters, stride, side, channels, reduce, shortcut, order
):
    bad = [] if positive(filters) and filters % 4 == 0 else [filters]
    bad += [] if positive(stride) else [stride]
    bad += [flag for flag in (reduce, shortcut) if type(flag) is not bool]
    bad += [] if order in FIGURE_4 else [order]
    if not bad:
        bad += [side] if stride > side else []
        bad += [stride] if shortcut and not reduce and stride > 1 else []
        bad += [filters] if shortcut and not reduce and channels != filters else []
    image = SimpleNamespace(shape=(None, side, side, channels))
    message = outcome(
        residual_module,
        data=image,
        filters=filters,
        stride=stride,
        reduce=reduce,
        shortcut=shortcut,
        order=order,
    )
    expect(bad, message)


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    quarter=st.integers(1, 6),
    stride=st.integers(1, 3),
    side=st.integers(3, 12),
    channels=st.integers(1, 24),
    order=st.sampled_from(sorted(FIGURE_4)),
    shortcut=st.booleans(),
)
def test_residual_module_has_the_predicted_shape_and_count(
    quarter, stride, side, channels, order, shortcut
):
    filters = 4 * quarter
    reduce = stride > 1 or channels != filters
    image = keras.Input((side, side, channels))
    out = residual_module(image, filters, stride, reduce=reduce, order=order, shortcut=shortcut)
    assert out.shape == (None, -(-side // stride), -(-side // stride), filters)
    convolutions = [(channels, quarter, 1), (quarter, quarter, 9), (quarter, filters, 1)]
    expected = counted(channels, convolutions, FIGURE_4[order])
    if shortcut and reduce:
        expected += channels * filters + (4 * filters if PROJECTIONS[order][1] else 0)
    assert keras.Model(image, out).count_params() == expected


@settings(derandomize=True, deadline=None, max_examples=30)
@given(data=st.data())
def test_build_has_the_predicted_shape_and_count(data):
    stages = data.draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
    filters = [data.draw(st.integers(1, 5))]
    filters += [4 * data.draw(st.integers(1, 3)) for _ in stages]
    side = st.integers(2 ** (len(stages) - 1) + 1, 20)
    width, height = data.draw(side), data.draw(side)
    depth, classes = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7))
    model = build(width, height, depth, classes, stages, filters)
    assert model.input_shape == (None, height, width, depth)
    assert model.output_shape == (None, classes)
    assert model.count_params() == predicted(depth, classes, stages, filters)
    rows, columns = (-(-side // 2 ** len(stages)) for side in (height, width))
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


@settings(derandomize=True, deadline=None, max_examples=30)
@given(
    n=st.integers(1, 2),
    order=st.sampled_from(sorted(FIGURE_4)),
    bottleneck=st.booleans(),
    shortcut=st.booleans(),
    stages=st.integers(1, 3),
    base=st.integers(1, 5),
    shape=st.tuples(st.integers(3, 12), st.integers(3, 12), st.integers(1, 3)),
    classes=st.integers(1, 5),
)
def test_build_cifar_has_the_predicted_shape_and_count(
    n, order, bottleneck, shortcut, stages, base, shape, classes
):
    model = build_cifar(
        (3 if bottleneck else 2) * stages * n + 2,
        order=order,
        bottleneck=bottleneck,
        shortcut=shortcut,
        stages=stages,
        base_filters=base,
        input_shape=shape,
        classes=classes,
    )
    widths = [base * 2**stage for stage in range(stages)]
    wide = widths[-1] * (4 if bottleneck else 1)
    assert (model.input_shape, model.output_shape) == ((None, *shape), (None, classes))
    rows, columns = (-(-side // 2 ** (stages - 1)) for side in shape[:2])
    assert model.get_layer("global_pool").input.shape[1:] == (rows, columns, wide)
    expected = predicted_cifar(n, order, bottleneck, shortcut, widths, shape[2], classes)
    assert model.count_params() == expected


def predicted_cifar(n, order, bottleneck, shortcut, widths, channels, classes):
    """The same for He's family, norms counted in the sequences of figure 4."""
    before = base = widths[0]
    total = 9 * channels * base
    total += 4 * base if "stem_bn1" in AROUND[order] else 0
    for inner in widths:
        after = 4 * inner if bottleneck else inner
        for unit in range(n):
            if bottleneck:
                convolutions = [(before, inner, 1), (inner, inner, 9), (inner, after, 1)]
            else:
                convolutions = [(before, inner, 9), (inner, after, 9)]
            total += counted(before, convolutions, (FIGURE_4 if bottleneck else BASIC)[order])
            changes = before != after or (unit == 0 and inner > base)
            if shortcut and changes:
                total += before * after + (4 * after if PROJECTIONS[order][1] else 0)
            before = after
    total += 4 * before if "final_bn1" in AROUND[order] else 0
    return total + (before + 1) * classes


def counted(before, convolutions, sequence):
    """Parameters of a branch: a norm has the channels of the last convolution before it."""
    total = sum(a * b * size for a, b, size in convolutions)
    at, seen = before, iter(convolutions)
    for kind in sequence.split():
        at = next(seen)[1] if kind == "conv" else at
        total += 4 * at if kind == "bn" else 0
    return total
