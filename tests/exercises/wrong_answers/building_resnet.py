"""Answers that learners give, and the Mistake that each should get."""

import numpy as np

from resnet_lesson import residual_module
from resnet_lesson.runtime import keras, set_seed

layers = keras.layers


def norm(x):
    return layers.BatchNormalization(momentum=0.9, epsilon=2e-5)(x)


def norm_relu(x):
    return layers.ReLU()(norm(x))


def conv(x, filters, size, stride=1):
    return layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)


def shortcut(activated, x, filters, stride, reduce):
    return conv(activated, filters, 1, stride) if reduce else x


def module(shortcut=shortcut, end=lambda branch, wire: layers.add([branch, wire])):
    """A module with another shortcut, or another end."""

    def answer(x, filters, stride, reduce):
        activated = norm_relu(x)
        wire = shortcut(activated, x, filters, stride, reduce)
        branch = conv(activated, filters // 4, 1)
        branch = conv(norm_relu(branch), filters // 4, 3, stride)
        return end(conv(norm_relu(branch), filters, 1), wire)

    return answer


def from_the_branch(x, filters, stride, reduce):
    branch = conv(norm_relu(x), filters // 4, 1)
    wire = conv(branch, filters, 1, stride) if reduce else x
    branch = conv(norm_relu(branch), filters // 4, 3, stride)
    return layers.add([conv(norm_relu(branch), filters, 1), wire])


def convolution_first(x, filters, stride, reduce):
    wire = conv(norm_relu(x), filters, 1, stride) if reduce else x
    branch = norm_relu(conv(x, filters // 4, 1))
    branch = norm_relu(conv(branch, filters // 4, 3, stride))
    return layers.add([conv(branch, filters, 1), wire])


def no_bottleneck(x, filters, stride, reduce):
    wire = conv(norm_relu(x), filters, 1, stride) if reduce else x
    branch = conv(norm_relu(x), filters, 3, stride)
    return layers.add([conv(norm_relu(branch), filters, 3), wire])


def stages_of(stride, reduce=lambda stage, unit: unit == 0, more=0, channels=1):
    """Stages with another rule for the stride, for projections, or another size."""

    def answer(x, stages, filters):
        for stage, (units, width) in enumerate(zip(stages, filters, strict=True)):
            for unit in range(units + more):
                step = stride(stage, unit)
                project = step > 1 or reduce(stage, unit)
                x = residual_module(x, channels * width, step, reduce=project)
        return x

    return answer


def basic_stages(x, stages, filters):
    for stage, (units, width) in enumerate(zip(stages, filters, strict=True)):
        for unit in range(units):
            wire = conv(x, width, 1, 2 if stage else 1) if unit == 0 else x
            x = layers.add([conv(wire, width, 1), wire])
    return x


def measured(
    norm_of=lambda x, y: y - x,
    over=lambda x, y: x,
    scales=(0.1, 1, 10, 100),
    training=True,
    reduce=False,
):
    """By scale, one norm over another of a module's input x and output y."""
    set_seed(0)
    image = keras.Input((8, 8, 32))
    model = keras.Model(image, residual_module(image, 32, reduce=reduce))
    start = np.random.default_rng(0).normal(size=(16, 8, 8, 32)).astype("float32")
    found = {}
    for scale in scales:
        x = scale * start
        y = np.asarray(model(x, training=training))
        found[scale] = np.linalg.norm(norm_of(x, y)) / np.linalg.norm(over(x, y))
    return found


def outputs(model, training=True):
    x = np.random.default_rng(0).normal(size=(16, 8, 8, 16)).astype("float32")
    return [np.asarray(model(scale * x, training=training)) for scale in (1, 100)]


def keeps_scale(model, training=True):
    once, larger = outputs(model, training)
    return bool(np.linalg.norm(larger - once) < 0.01 * np.linalg.norm(once))


def all_but_the_stride(model):
    return model.count_params() == 1_600 and keeps_scale(model) and outputs(model)[0].min() < 0


def without_counting(model, norms=None):
    """Accepts whatever adds a bias, and unless ``norms`` says how many, whatever lacks one."""
    kinds = [type(layer).__name__ for layer in model.layers]
    strides = [
        layer.strides for layer in model.layers if getattr(layer, "kernel_size", 0) == (3, 3)
    ]
    right = keeps_scale(model) and outputs(model)[0].min() < 0 and strides == [(2, 2)]
    return bool(right and norms in (None, kinds.count("BatchNormalization")))


def all_norms_new(model):
    scales = [layer.gamma for layer in model.layers if hasattr(layer, "gamma")]
    return all(np.all(np.asarray(scale) == 1) for scale in scales)


HALVED = (32, 64, 128, 256)
WRONG = {
    "pictures": [
        ("pixels", "the same few weights", lambda: 3 * 2_265_748),
        ("pixels", "the same few weights", lambda: 2_265_748),
        ("wider classifier", "fixed 8x8 pooling", lambda: 3 * 512 * 200),
        ("wider classifier", "over the whole map", lambda: 19_660_800),
        ("a factor", "a difference", lambda: 1),
        ("arithmetic", "stored once", lambda: 848_559_744),
        ("fewer", "-100", lambda: -100),
        ("other layer", "needs a layer", lambda: 12_345),
        ("kind", "pass a number", lambda: "the same"),
    ],
    "projection": [
        (
            "raw",
            "before BN and ReLU; the article projects the activated tensor",
            lambda: module(lambda a, x, f, s, reduce: conv(x, f, 1, s) if reduce else x),
        ),
        (
            "normed only",
            "but before ReLU",
            lambda: module(lambda a, x, f, s, reduce: conv(norm(x), f, 1, s) if reduce else x),
        ),
        (
            "two norms",
            "64 parameters more",
            lambda: module(lambda a, x, f, s, reduce: conv(norm_relu(x), f, 1, s) if reduce else x),
        ),
        (
            "identity activated",
            "carries the raw one",
            lambda: module(lambda a, x, f, s, reduce: conv(a, f, 1, s) if reduce else a),
        ),
        (
            "always projected",
            "where nothing changes",
            lambda: module(lambda a, x, f, s, reduce: conv(a, f, 1, s)),
        ),
        ("never added", "a plain stack", lambda: module(end=lambda branch, wire: branch)),
        (
            "after the addition",
            "sits on the wire",
            lambda: module(end=lambda branch, wire: layers.ReLU()(layers.add([branch, wire]))),
        ),
        (
            "no identity",
            "does not return its input",
            lambda: module(end=lambda branch, wire: layers.add([branch, wire, wire])),
        ),
        ("from the branch", "reads 8 channels", lambda: from_the_branch),
        ("other function", "between them", lambda: convolution_first),
        ("other branch", "3x3x32x32", lambda: no_bottleneck),
        (
            "size",
            "(4, 4, 32) was due",
            lambda: lambda x, f, stride, reduce: module()(x, f, 1, reduce),
        ),
        (
            "raised ValueError",
            "layers.add([branch, wire])",  # the projection keeps the size
            lambda: module(lambda a, x, f, s, reduce: conv(a, f, 1) if reduce else x),
        ),
        ("kind", "pass a function", lambda: 3),
    ],
    "stride": [
        ("every module", "32 16 8 4 2 1", lambda: stages_of(lambda stage, unit: 1 + (stage > 0))),
        ("first stage", "16 8 8 8 4 4", lambda: stages_of(lambda stage, unit: 1 + (unit == 0))),
        ("never", "32 32 32 32 32 32", lambda: stages_of(lambda stage, unit: 1)),
        (
            "other places",
            "32 32 32 32 16 16",
            lambda: stages_of(lambda stage, unit: 1 + (stage == 2 and unit == 0)),
        ),
        (
            "projects everywhere",
            "where nothing changes",
            lambda: stages_of(
                lambda stage, unit: 1 + (stage > 0 and unit == 0), lambda stage, unit: True
            ),
        ),
        ("count", "where 6 were due", lambda: stages_of(lambda stage, unit: 1, more=1)),
        ("filters", "32 64 64 64 128 128", lambda: stages_of(lambda stage, unit: 1, channels=2)),
        ("other modules", "weights too few", lambda: basic_stages),
        (
            "raised ValueError",
            "a stride needs reduce=True",  # a stride where nothing is projected
            lambda: lambda x, stages, filters: residual_module(x, 8, 2),
        ),
    ],
    "budget": [
        ("over budget", "51,414 too many", lambda: ((3, 4, 6), HALVED)),
        ("shallow", "10 modules", lambda: ((3, 4, 3), HALVED)),
        ("few stages", "in 2 stages", lambda: ((7, 6), (64, 128, 256))),
        ("narrow", "128 filters", lambda: ((3, 4, 6), (16, 32, 64, 128))),
        ("leap", "4, 4, 4, 256", lambda: ((6, 6, 1), (4, 4, 4, 256))),
        ("leap", "64, 128, 64, 256", lambda: ((6, 6, 1), (64, 128, 64, 256))),
        ("refused", "3 stages need 4 filters", lambda: ((3, 4, 6), (64, 128, 256))),
        ("refused", "divisible by 4", lambda: ((5, 5, 3), (32, 65, 128, 256))),
        ("kind", "stages and filters", lambda: (3, 4, 6)),
    ],
    "mutants": [
        ("all", "the output shape", lambda: lambda model: model.output_shape == (None, 4, 4, 32)),
        ("none", "refuses everything", lambda: lambda model: False),
        ("none", "in training mode only", lambda: lambda model: keeps_scale(model, training=False)),
        ("ReLU after the sum", "stands on the wire", lambda: keeps_scale),
        (
            "raw projection",
            "the right number of parameters",
            lambda: lambda model: model.count_params() == 1_600,
        ),
        (
            "early stride",
            "finds 4 of 5 mutants",
            lambda: lambda model: all_but_the_stride(model),
        ),
        ("missing norm", "fewer of", lambda: lambda model: without_counting(model)),
        ("bias", "what it computes", lambda: lambda model: without_counting(model, norms=3)),
        (
            "refuses other layers",
            "other names",
            lambda: lambda model: any("unit_bn1" in layer.name for layer in model.layers),
        ),
        (
            "refuses package's",
            "type",
            lambda: lambda model: not any("unit_bn1" in layer.name for layer in model.layers),
        ),
        ("refuses trained", "running averages", lambda: all_norms_new),
        ("kind", "True or False", lambda: lambda model: "yes"),
        ("kind", "a function of a model", lambda: 3),
    ],
    "change": [
        ("level", "In inference", lambda: measured(training=False)),
        ("level", "branch by itself", lambda: measured(over=lambda x, y: 1)),
        ("grows", "the signal itself", lambda: measured(lambda x, y: x, over=lambda x, y: 1)),
        ("comes to 1", "not taken away", lambda: measured(lambda x, y: y)),
        ("part of itself", "stays below 1", lambda: measured(over=lambda x, y: y)),
        ("comes to 1", "one that projects", lambda: measured(reduce=True)),
        ("other law", "another input at each scale", lambda: {0.1: 3, 1: 1, 10: 0.3}),
        ("not measured here", "and I measure", lambda: {1: 0.5, 10: 0.05, 100: 0.005}),
        ("few scales", "over a range", lambda: measured(scales=(1, 2, 3))),
        ("no change", "is positive", lambda: {1: 0.5, 10: 0, 100: 0.005}),
        ("kind", "a dict of scales", lambda: [0.5, 0.05, 0.005]),
    ],
}
