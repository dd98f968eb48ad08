"""Exercises of notebook 4: larger pictures, two repairs, a network in a budget, a signal
that grows, and a test that knows a module from its mutants."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from ..networks.cost import Part, parts
from ..networks.residual import residual_module
from ..runtime import keras
from . import answers
from .tutor import Mistake, exercise, shown

STAGES, FILTERS, CLASSES = (3, 4, 6), (64, 128, 256, 512), 200  # the article's example
BUDGET, MODULES, WIDTH = 500_000, 13, 256


@exercise(
    "Which weights does the model own? Go through the kinds of layers, and ask of each whether the "
    "shape of its weights knows the height of the picture.",
    "A kernel slides: it is as large as its window, whatever it slides over. The one layer that "
    "might notice is the dense one at the end. What does global pooling hand to it?",
)
def pictures(more: Any) -> str:
    """How many parameters more has the network for pictures of twice the height and width?"""
    given = answers.number(more)
    (before, work), (after, work_after) = (
        _totals(parts(size, size, 3, CLASSES, STAGES, FILTERS)) for size in (64, 128)
    )
    if given == after - before:
        return (
            f"Both have {after:,} parameters. The arithmetic is what pictures cost: "
            f"{work_after / work:.1f} times the multiply-adds. So one set of weights can look at "
            "pictures of other sizes."
        )
    if given == 1:
        raise Mistake(
            "a factor",
            "You say 1. As a factor that is a good thought; the question is about a difference.",
            "One parameter more would have to belong to some layer.",
            "subtract the two counts.",
            "what is left if you take a number from itself?",
        )
    saw = f"You say {given:+,.0f} parameters; the network for 64x64 pictures has {before:,}."
    pooled = FILTERS[-1] * CLASSES  # weights of the classifier
    near = partial(answers.near, given)
    answers.explain(
        saw,
        (
            given == 4 or near(*(times * before for times in (1, 2, 3, 4))),
            "pixels",
            "Parameters growing with the pixels would mean a weight of its own for each place. A "
            "convolution uses the same few weights at every place.",
            "write down the shape of one kernel, and look for the height of the picture in it.",
            "a kernel has two sides of its window, channels in and filters out, and nothing else. "
            "Now the same for a norm, and for what follows the pooling.",
        ),
        (
            near(3 * pooled, (16**2 - 8**2) * pooled),
            "wider classifier",
            "That is a dense layer that reads a map of several pixels, as with the article's fixed "
            "8x8 pooling, or with none. This network averages over the whole map, whatever its "
            "size.",
            "work out the shape between the pooling and the dense layer, for both pictures.",
            "`GlobalAveragePooling2D` leaves one number for each channel.",
        ),
        (
            near(work_after - work, work_after),
            "arithmetic",
            "That is about multiply-adds. They are the work at all places; parameters are what is "
            "stored once.",
            "watch the two columns in the table of `ArchitectureBuilder` apart.",
            "type another width and height there: one of the two columns stays as it is.",
        ),
    )
    raise Mistake(
        "fewer" if given < 0 else "other layer",
        saw,
        "A change of the count needs a layer whose weights have another shape.",
        "name the layer that you have in mind, and the shape of its weights for both pictures.",
        "type the new size into `ArchitectureBuilder` above, and compare row by row.",
    )


@pictures.solved_by
def more():
    return 0  # no weight's shape knows the size of the picture


@exercise(
    "Build it with `reduce=True`, and compare its `count_params()` with that of the package's "
    "`residual_module`. Which kind of layer has four numbers for each channel that it reads?",
    "Each call of `norm_relu` makes a new BN layer. How often is it called on `x`? Make the "
    "activated tensor once, give it a name, and let both the branch and the projection start from "
    "it. The identity is another matter.",
)
def projection(module: Any) -> str:
    """The module that passes the test and is another one: mend it."""
    reduces = answers.network(module, (8, 8, 16), 32, 2, True)
    keeps = answers.network(module, (8, 8, 32), 32, 1, False)
    _check_shape(reduces, (4, 4, 32))
    _check_shape(keeps, (8, 8, 32))
    _check_identity(keeps)
    _check_projection(reduces)
    return (
        "The projecting module gives the answers of the package's, and has as many parameters. "
        "Both of its paths now read the output of one BN layer. The other kind of module still "
        "hands its input on untouched."
    )


@projection.solved_by
def repaired(x, filters, stride, reduce):
    from resnet_lesson.runtime import keras

    layers = keras.layers

    def norm_relu(h):
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=2e-5)(h))

    def conv(h, filters, size, stride=1):
        return layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(h)

    activated = norm_relu(x)
    shortcut = conv(activated, filters, 1, stride) if reduce else x
    branch = conv(activated, filters // 4, 1)
    branch = conv(norm_relu(branch), filters // 4, 3, stride)
    branch = conv(norm_relu(branch), filters, 1)
    return layers.add([branch, shortcut])


def _check_shape(model: keras.Model, due: tuple[int, ...]) -> None:
    made = model.output_shape[1:]
    if made != due:
        raise Mistake(
            "size",
            f"From {model.input_shape[1:]} your module makes {made}, where {due} was due.",
            "A stage relies on it: its first module halves the map, the others keep it.",
            "follow the shape through each line, with a stride of 2 and with 1.",
            "the stride belongs to one convolution of the branch, and to the projection.",
        )


def _check_identity(model: keras.Model) -> None:
    """Raise a Mistake unless a module without a projection is the identity on a branch of zeros."""
    if not _kernel_counts(model) >= Counter(_shapes(32, 32)):
        raise _other_branch(model, "not reduce")
    if _kernel_counts(model)[1, 1, 32, 32]:
        raise Mistake(
            "always projected",
            "Your module projects its shortcut where nothing changes, too.",
            "Each projection cuts the wire. A network that projects in every module has none left "
            "on which a gradient travels untouched.",
            "ask in which modules a projection is needed at all.",
            "`reduce` is true for a stage's first module only; elsewhere the shortcut is free.",
        )
    x = _batch(model)
    result = answers.outputs(model, x, scale=0)

    def equals(other: np.ndarray) -> bool:
        return np.allclose(result, other, atol=1e-3)

    if equals(x):
        return
    normed = (x - x.mean((0, 1, 2))) / x.std((0, 1, 2))
    if equals(np.maximum(normed, 0)) or equals(normed):
        raise Mistake(
            "identity activated",
            "With all kernels at zero, your module without a projection returns its input normed "
            "or activated.",
            "Only the projection reads the activated tensor. Where the shapes fit, the wire "
            "carries the raw one: BN and ReLU on it would change every signal in every module.",
            "treat the two kinds of shortcut apart.",
            "with `reduce` false the shortcut is `x` itself.",
        )
    if equals(0 * x):
        raise Mistake(
            "never added",
            "With all kernels at zero, your module without a projection returns zeros.",
            "So the shortcut does not reach the output: this is a plain stack.",
            "look at what the last line adds up.",
            "the last line adds two tensors: the branch's end and the shortcut.",
        )
    if equals(np.maximum(x, 0)):
        raise Mistake(
            "after the addition",
            "With all kernels at zero, your module without a projection returns its input with "
            "the negative entries cut off.",
            "A ReLU after the addition sits on the wire, and the next module's sum is never "
            "negative again.",
            "let the addition be the last thing that happens.",
            "in full pre-activation BN and ReLU stand before each convolution, nowhere else.",
        )
    raise Mistake(
        "no identity",
        "With all kernels at zero, your module without a projection does not return its input.",
        "A branch that adds zero should leave the signal as it is.",
        "set the branch aside, and follow `x` alone to the output.",
        "with `reduce` false, nothing but the addition may happen to `x`.",
    )


def _check_projection(model: keras.Model) -> None:
    """Raise a Mistake unless a module projects the activated tensor, and is else the package's."""
    found = _kernel_counts(model)
    if found == Counter(_shapes(16, 32)):
        raise Mistake(
            "never added",
            "Your projecting module has three kernels, the branch's own.",
            "Without a projection nothing but the branch reaches the output, and the stage starts "
            "as a plain stack does.",
            "see to it that a projected shortcut is added to the branch.",
            "a 1x1 convolution with all filters and the stride makes a shortcut that fits.",
        )
    if found == Counter([*_shapes(16, 32), (1, 1, 8, 32)]):
        raise Mistake(
            "from the branch",
            "Your projection reads 8 channels, where the module's input has 16.",
            "Only tensors inside the branch have 8 channels: your shortcut then starts behind the "
            "first convolution, and skips less than the module.",
            "start both paths at the same place.",
            "keep the tensor that the first convolution reads, and project that.",
        )
    if found != Counter([*_shapes(16, 32), (1, 1, 16, 32)]):
        raise _other_branch(model, "reduce")
    x = _batch(model)
    result = answers.outputs(model, x)
    starts = [
        start
        for start in ("activated", "raw", "normed")
        if answers.close(result, answers.outputs(_projecting(start), x))
    ]
    if "raw" in starts:
        raise Mistake(
            "raw",
            "The shortcut is taken before BN and ReLU; the article projects the activated tensor. "
            "With an input 100 times larger, in training mode, the output "
            f"{answers.change(_growth(model))}; with BN before both paths it would keep it.",
            "The signal on the wire grows from module to module, so such a projection reads a "
            "larger signal than the branch beside it. Shapes and parameter count are the same, "
            "which is why nothing complains.",
            "find the tensor that the branch's first convolution reads.",
            "give that tensor a name, and let two lines use it. Does that line call for `x`?",
        )
    if "normed" in starts:
        raise Mistake(
            "normed only",
            "The shortcut is taken after BN, but before ReLU.",
            "It ignores the scale of the input, as the article's does. But the article projects "
            "what the branch's first convolution reads, and that has been through both.",
            "take the tensor one step later.",
            "`norm_relu` returns the one to project.",
        )
    if not starts:
        raise Mistake(
            "other function",
            "With the same kernels, your projecting module and the package's give different "
            "answers.",
            "The kernels have the right shapes, so what differs is what stands between them.",
            "compare the order in your branch with BN, ReLU, convolution, three times.",
            "put your lines beside `module` at the top of this notebook.",
        )
    more = model.count_params() - _projecting("activated").count_params()
    if more:
        raise Mistake(
            "two norms",
            f"Your projecting module has {more} parameters more than the package's.",
            "With new weights the two modules give the same answers, and both ignore the scale of "
            "their input. In training the additional parameters learn something of their own, and "
            "then the answers differ.",
            "count the BN layers of your module, and those of `module` in this notebook.",
            "each call of `norm_relu` makes new layers. Call it once on `x`, and use the result "
            "twice.",
        )


def _other_branch(model: keras.Model, case: str) -> Mistake:
    found = ", ".join("x".join(map(str, shape)) for shape in _kernel_counts(model)) or "none"
    return Mistake(
        "other branch",
        f"Where it should {case}, your module has these kernels: {found}.",
        "The fault to be found is not in the branch's convolutions. The branch has a 1x1, a 3x3 "
        "and a 1x1 kernel, the first two with a quarter of the filters.",
        "take the lines of the branch from the exercise as they were.",
        "change only what `norm_relu` is called on.",
    )


@exercise(
    "The wire may be cut once a stage. Print `stage, unit, stride` in the inner loop: when is the "
    "stride 2?",
    "Two things happen at the same moment, at a stage's first module: it projects, and, from the "
    "second stage on, it halves. Nothing depends on the stage alone.",
)
def stride(function: Any) -> str:
    """The stages that shrink their maps in every module: mend them."""
    units, filters, size = (1, 3, 2), (16, 32, 64), 32
    model = answers.network(function, (size, size, 8), units, filters)
    # ``keras.layers.Add`` and the operation behind ``+`` share this name.
    additions = [each for each in model.operations if type(each).__name__ == "Add"]
    maps = [tuple(addition.output.shape[1:]) for addition in additions]
    due = [
        (size // 2**stage, size // 2**stage, width)
        for stage, (count, width) in enumerate(zip(units, filters, strict=True))
        for _ in range(count)
    ]
    saw = f"Behind your modules the maps are `{' '.join(str(made[0]) for made in maps)}` high."
    if len(maps) != len(due):
        raise Mistake(
            "count",
            f"For stages of {units} modules I find {len(maps)} additions, where {len(due)} "
            "were due.",
            "Each module ends in one addition, and the first module of a stage counts.",
            "let the inner loop run once for each module, and hand `x` on from one to the next.",
            "`range(units)` counts from 0: its first round is the stage's first module.",
        )
    if [made[2] for made in maps] != [wanted[2] for wanted in due]:
        raise Mistake(
            "filters",
            f"Behind your modules I find `{' '.join(str(made[2]) for made in maps)}` channels, "
            f"for filters {filters}.",
            "All modules of a stage have the same number of filters.",
            "look at which entry of `filters` each module gets.",
            "a stage and its filters stand at the same place of the two lists.",
        )
    if maps == due and model.output_shape[1:] == due[-1]:
        return _right_stages(model, units, filters)
    later = np.cumsum(units)[:-1]  # the modules at which a stage begins, but for the first stage
    heights = [size, *(made[0] for made in maps)]
    shrinks = {place for place in range(len(maps)) if heights[place + 1] < heights[place]}
    if shrinks - {0, *later}:
        raise Mistake(
            "every module",
            saw,
            "A stage works at one size: its modules add to a map of that size. Each halving "
            "keeps one pixel in four, needs a projection, and so cuts the wire. Soon a single "
            "pixel is left.",
            "let a stage shrink its maps once, and find out in which of its modules.",
            "the stride depends on the place of the module in its stage, too, not on the stage "
            "alone.",
        )
    if 0 in shrinks:
        raise Mistake(
            "first stage",
            saw,
            "The first stage gets its maps from the stem's pooling, which has halved them already. "
            "There only the number of filters changes.",
            "make an exception for the first stage.",
            "its first module projects with stride 1.",
        )
    if not shrinks:
        raise Mistake(
            "never",
            saw,
            "Without any halving, a stage with twice the filters costs four times the arithmetic, "
            "and a 3x3 kernel covers as little of the picture at the end as at the start.",
            "let the later stages start at half the size.",
            "a stage's first module projects in any case: let it have the stride as well.",
        )
    raise Mistake(
        "other places",
        saw,
        f"For stages of {units} modules they should be "
        f"`{' '.join(str(wanted[0]) for wanted in due)}`: each stage but the first starts by "
        "halving, and nothing else changes the size.",
        "go through the stages one by one, and find where yours part from these.",
        "ask both questions at each module: is it the first of its stage, and is this the first "
        "stage?",
    )


@stride.solved_by
def all_stages(x, stages, filters):
    from resnet_lesson import residual_module

    for stage, (units, width) in enumerate(zip(stages, filters, strict=True)):
        for unit in range(units):
            stride = 2 if stage > 0 and unit == 0 else 1
            x = residual_module(x, width, stride, reduce=unit == 0)
    return x


def _right_stages(model: keras.Model, units: tuple[int, ...], filters: tuple[int, ...]) -> str:
    """The reply to stages whose maps are right. Raises a Mistake if they project too often."""
    due = sum(
        channels * width
        + sum(_kernel_sizes(channels, width))
        + (count - 1) * sum(_kernel_sizes(width, width))
        for count, channels, width in zip(units, (8, *filters[:-1]), filters, strict=True)
    )
    found = sum(int(np.prod(kernel.shape)) for kernel in answers.kernels(model))
    if found > due:
        raise Mistake(
            "projects everywhere",
            f"The maps have the right sizes; your kernels have {found - due:,} weights too many.",
            "They are projections where nothing changes. A projection cuts the wire, and the "
            "modules behind a stage's first could have left it whole.",
            "look at what decides `reduce`.",
            "a module projects only where the number of channels or the size of the map changes.",
        )
    if found < due:
        raise Mistake(
            "other modules",
            f"The maps have the right sizes; your kernels have {due - found:,} weights too few.",
            "The modules of the exercise are bottlenecks, and the first of each stage projects.",
            "make each module with `residual_module`.",
            "the line with `residual_module` may stay; what it is passed is to be mended.",
        )
    return (
        f"The maps are halved {len(units) - 1} times and the wire is cut {len(units)} times, once "
        "a stage. A stride in every module neither crashes nor warns: the table of shapes is where "
        "it shows."
    )


@exercise(
    "Start from the article's network with all filters halved, and see in the table by how much it "
    "is over, and which stage holds most. Half the width is allowed; fewer modules are not.",
    "Modules need not stay where they are. What has a module of the last stage, and what has one "
    "of the stage before it? Move one, and count again.",
)
def budget(choice: Any) -> str:
    """Stages and filters of a network within 500,000 parameters."""
    choice = answers.result_of(choice) if callable(choice) else choice
    if not isinstance(choice, tuple | list) or len(choice) != 2:
        raise answers.wrong_kind(choice, "a pair, stages and filters")
    stages, filters = choice
    try:
        made = parts(64, 64, 3, 10, stages, filters)
    except ValueError as refusal:
        raise Mistake(
            "refused",
            f"`ResNet.build` refuses stages `{shown(stages)}` with filters `{shown(filters)}`: "
            f"{refusal}.",
            "It says so before it makes a layer: such a network cannot be built.",
            "mend what the refusal names.",
            "filters has one entry more than stages: the first is the stem's.",
        ) from None
    total, work = _totals(made)
    saw = f"Your network has {sum(stages)} modules in {len(stages)} stages."
    if len(stages) < 3:
        raise Mistake(
            "few stages",
            saw,
            "Each stage halves the maps once. With fewer than three, the last maps are large, and "
            "a 3x3 kernel covers little of them at a time.",
            "spread your modules over three stages or more.",
            "a stage may be as short as one module.",
        )
    if sum(stages) < MODULES:
        raise Mistake(
            "shallow",
            saw,
            f"Fewer modules are the simplest way to save. Here {MODULES} are asked for, as many "
            "as the article has; depth is what residual networks make affordable.",
            "keep the number of modules, and save elsewhere.",
            "which stage has the cheapest modules?",
        )
    if filters[-1] < WIDTH:
        raise Mistake(
            "narrow",
            f"Your last stage has {filters[-1]} filters.",
            "The classifier sees one number for each of them, and nothing else of the picture. "
            f"Here it is to have {WIDTH}.",
            "keep the width at the end, and save elsewhere.",
            "you may choose how many modules are that wide.",
        )
    ratios = [wide / narrow for narrow, wide in pairwise(filters)]
    if not all(1 <= ratio <= 2 for ratio in ratios):
        raise Mistake(
            "leap",
            f"From one entry to the next your filters go {', '.join(map(str, filters))}.",
            "Halved maps with twice the filters keep the arithmetic level from stage to stage. "
            "Here no entry may be below the one before it, or above twice that.",
            "go back from the last entry: how small may the one before it be?",
            f"with {WIDTH} at the end, the stage before it has {WIDTH // 2} or more.",
        )
    if total > BUDGET:
        largest = max(made, key=lambda part: part.parameters)
        raise Mistake(
            "over budget",
            f"Your network has {total:,} parameters, {total - BUDGET:,} too many. "
            f"`{largest.name}` holds {largest.parameters / total:.0%} of them.",
            "Parameters sit where the filters are most: a module with half the filters has about a "
            "quarter of them.",
            f"look at `{largest.name}` first: what would one module less save there?",
            "a module taken from one stage can be put into another, where it costs less.",
        )
    return (
        f"{sum(stages)} modules, {total:,} parameters, {work / 1e6:.1f} million multiply-adds. "
        "A module moved to a stage with half the filters takes about a quarter of the parameters "
        "with it, and exactly the same arithmetic: its maps have four times the places."
    )


@budget.solved_by
def choose():
    return (4, 5, 4), (32, 64, 128, 256)


@exercise(
    "Make a model of one module, `residual_module(image, 32)`, and call it with `training=True`: "
    "else BN divides by what it remembers, not by what it sees. Which two norms do you need?",
    "The branch starts with BN, so what it adds does not know the scale. The input does. Divide "
    "the norm of output minus input by that of the input, at 1, 10 and 100.",
)
def change(changes: Any) -> str:
    """How far does a module with an untouched wire change a signal that grows?"""
    values, powers, saw = answers.by_scale(
        changes,
        "a dict of scales and relative changes",
        "change",
        0.1,
        "A norm over a norm is positive wherever the branch adds anything at all.",
        "print the norm of output minus input at that scale.",
        "have you taken norms, or sums? A branch adds as much below zero as above.",
    )
    if (abs(powers + 1) < 0.1).all():
        answers.check_measured(
            changes,
            _relative_change,
            "`residual_module(image, 32)` and an input of standard normal numbers",
            "`np.random.default_rng(0).normal(size=(16, 8, 8, 32))` is such an input.",
        )
        return (
            f"{saw} It falls as the input grows. The branch adds the same to an input ten times as "
            "large, and so changes it a tenth as much. On the wire the signal grows from module to "
            "module, so each later module changes it less. Is it so for the gradient? And in "
            "inference, where BN divides by what it remembers?"
        )
    if (abs(powers) < 0.1).all():
        raise Mistake(
            "level",
            saw,
            "It stays level if what the branch adds grows as the input does, or if you look at "
            "the branch by itself. In inference BN divides by what it remembers, so that its "
            "output grows, too.",
            "print the norms of input and of output minus input at each scale: which one grows?",
            "call the model with `training=True`, and divide by the norm of what went in.",
        )
    if (abs(powers - 1) < 0.1).all():
        raise Mistake(
            "grows",
            saw,
            "That is how the signal itself grows. The question is how much the module changes it.",
            "look at which of the norms you divide by which.",
            "output minus input is what the branch adds; the input is what it adds to.",
        )
    if abs(values[-1] - 1) < 0.2 and powers[-1] > powers[0]:
        raise Mistake(
            "comes to 1",
            saw,
            "It comes to 1: at the largest scale that is the input over itself. Either it was not "
            "taken away, or the module had not handed it on: one that projects does not.",
            "take a module without `reduce`, and subtract from its output what went in.",
            "the norm of output *minus input*, over the norm of the input.",
        )
    if abs(values[0] - 1) < 0.2 and powers[-1] < powers[0]:
        raise Mistake(
            "part of itself",
            saw,
            "It stays below 1 however small the input is: what the branch adds is a part of what "
            "you divide by.",
            "look at the norm that you divide by: is it of the tensor before the addition?",
            "divide by the norm of the input.",
        )
    raise Mistake(
        "other law",
        saw,
        "BN at the start of the branch undoes the scale, and the wire keeps it, so one power of "
        "the scale is left. Other weights or another input at each scale would hide that.",
        "take one module that keeps the shape, one input, and multiply only that.",
        "`residual_module(image, 32)` on an image of 32 channels; the same `x` at each scale.",
    )


@change.solved_by
def changes():
    import numpy as np

    from resnet_lesson import residual_module
    from resnet_lesson.runtime import keras

    image = keras.Input((8, 8, 32))
    model = keras.Model(image, residual_module(image, 32))
    x = np.random.default_rng(0).normal(size=(16, 8, 8, 32)).astype("float32")
    found = {}
    for scale in (1, 10, 100):
        added = model(scale * x, training=True) - scale * x
        found[scale] = np.linalg.norm(added) / np.linalg.norm(scale * x)
    return found


def _relative_change(scale: float) -> float:
    """How far a module that keeps the shape changes an input of this scale."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 32))
    model = keras.Model(image, residual_module(image, 32))
    x = scale * _batch(model)
    return float(np.linalg.norm(model(x, training=True) - x) / np.linalg.norm(x))


@exercise(
    "No single property catches all five. Which of the five could the scale of the input show, and "
    "which a count of parameters? What can no output be that has just left a ReLU?",
    "The stride changes neither shape nor count. `model.layers` has the layers, and a `Conv2D` "
    "knows its `kernel_size`, its `strides` and whether it has a bias (`use_bias`).",
)
def mutants(is_ours: Any) -> str:
    """A test that knows the module of the notebook from five that look like it."""
    if not callable(is_ours):
        raise answers.wrong_kind(is_ours, "a function of a model")
    right = {name: _said(is_ours, model) for name, model in _right_modules()}
    accepted = [name for name in MUTANTS if _said(is_ours, _module(name))]
    if not any(right.values()):
        raise Mistake(
            "none",
            f"Your test accepts none of {len(right)} right modules.",
            "A test that refuses everything finds every mutant, and no module.",
            "try it on `module(image, 32, 2, reduce=True)` first, and print each condition. BN "
            "divides by the spread of its input in training mode only.",
            "call the model with `training=True`, and allow for rounding.",
        )
    for name, accepts in right.items():
        if not accepts:
            raise Mistake(f"refuses {name}", *RIGHT[name])
    if len(accepted) == len(MUTANTS):
        raise Mistake(
            "all",
            "Your test accepts each of the five mutants.",
            "All have the output shape of the right module, so a test of the shape passes them.",
            "begin with one mutant: what does its output do that the right one's does not?",
            "make the input a hundred times larger, in training mode, as in the section above.",
        )
    for name in accepted:
        found = len(MUTANTS) - len(accepted)
        saw, *words = MUTANTS[name]
        raise Mistake(name, f"Your test finds {found} of 5 mutants. {saw}", *words)
    return (
        "It accepts the right module in three forms, and refuses all five mutants. Each of them "
        "has the right output shape, and all but two have the right number of parameters. "
        "Not all are bad modules: the authors' own code has the stride in the first 1x1 "
        "convolution."
    )


# What a test overlooks that accepts it, why that matters, the next step, and one further.
MUTANTS = {
    "raw projection": (
        "It accepts one whose projection reads the raw input.",
        "That mutant has the right shapes and the right number of parameters.",
        "look for what the output does when the input becomes a hundred times larger.",
        "in training mode the right module's output stays the same, but for rounding.",
    ),
    "ReLU after the sum": (
        "It accepts one with a ReLU after the addition.",
        "That ReLU stands on the wire. It has no parameters and changes no shape, and the right "
        "module ends in the addition.",
        "look at the values of the output for a random input.",
        "what has just left a ReLU is never negative.",
    ),
    "early stride": (
        "It accepts one that has the stride in its first 1x1 convolution.",
        "There the stride throws three of four pixels away before the 3x3 convolution sees them. "
        "Shapes and parameters are the same.",
        "find the layer that halves the map.",
        "the 3x3 convolution of the right module has strides of `(2, 2)`.",
    ),
    "missing norm": (
        "It accepts one that lacks the BN layer before its last convolution.",
        "The scale of the input is gone before, at the first BN layer, so the scale does not show "
        "this one.",
        "count something that this mutant has fewer of.",
        "the right module has three BN layers.",
    ),
    "bias": (
        "It accepts one with a bias in its last convolution.",
        "No BN layer follows that takes the bias away again, so the module computes another "
        "function once the bias has learned. A new bias is zero and changes no output.",
        "look at what the model owns, not at what it computes.",
        "compare the number of parameters with that of the right module.",
    ),
}
RIGHT = {
    "other layers": (
        "Your test accepts one form of the right module, and refuses the same made of layers with "
        "other names.",
        "Keras makes up names, and another one for each layer. They say nothing of the function.",
        "find the layers by their type, in whatever order they stand.",
        "`isinstance(layer, keras.layers.Conv2D)` is true of each convolution.",
    ),
    "package's": (
        "Your test refuses the package's module, and accepts one that is made of the same layers.",
        "The package names its layers, and puts the projection at another place of `model.layers`. "
        "The function is the same.",
        "find the layers by their type, in whatever order they stand.",
        "ask `kernel_size` of a convolution which one it is.",
    ),
    "trained": (
        "Your test refuses the right module when its weights have been trained.",
        "After training the BN layers have other scales, offsets and running averages. It is the "
        "same module.",
        "call the model with `training=True`, and compare no weight with what it starts from.",
        "print your measures for a module whose BN layers have scales from 0.5 to 1.5.",
    ),
}


@mutants.solved_by
def is_ours(model):
    import numpy as np

    from resnet_lesson.runtime import keras

    convs = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if len(norms) != 3 or any(conv.use_bias for conv in convs):
        return False
    if [conv.strides for conv in convs if conv.kernel_size == (3, 3)] != [(2, 2)]:
        return False
    x = np.random.default_rng(0).normal(size=(16, 8, 8, 16)).astype("float32")
    once, larger = (model(scale * x, training=True).numpy() for scale in (1, 100))
    same = np.linalg.norm(larger - once) < 0.01 * np.linalg.norm(once)
    return bool(same and once.min() < 0)


def _said(is_ours: Callable[[Any], Any], model: keras.Model) -> bool:
    """What a learner's test says of a model. Raises a Mistake if it is neither yes nor no."""
    said = answers.result_of(is_ours, model)
    if not isinstance(said, bool | np.bool_):
        raise answers.wrong_kind(said, "a function that returns True or False")
    return bool(said)


def _right_modules() -> list[tuple[str, keras.Model]]:
    """The module of the notebook in three forms, each with a name."""
    image = keras.Input((8, 8, 16))
    packaged = keras.Model(image, residual_module(image, 32, 2, reduce=True, name="unit"))
    trained = _module()
    random = np.random.default_rng(0)
    for weight in trained.weights:
        if len(weight.shape) == 1:
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
    return [("package's", packaged), ("other layers", _module()), ("trained", trained)]


def _module(fault: str = "") -> keras.Model:
    """A projecting module for images of 8x8x16, with one of the faults of MUTANTS or none."""
    layers = keras.layers
    image = keras.Input((8, 8, 16))

    def norm_relu(x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=2e-5)(x))

    def conv(
        x: keras.KerasTensor, filters: int, size: int, stride: int = 1, bias: bool = False
    ) -> keras.KerasTensor:
        return layers.Conv2D(filters, size, stride, padding="same", use_bias=bias)(x)

    activated = norm_relu(image)
    shortcut = conv(image if fault == "raw projection" else activated, 32, 1, 2)
    first, second = (2, 1) if fault == "early stride" else (1, 2)
    branch = conv(activated, 8, 1, first)
    branch = conv(norm_relu(branch), 8, 3, second)
    branch = layers.ReLU()(branch) if fault == "missing norm" else norm_relu(branch)
    total = layers.add([conv(branch, 32, 1, bias=fault == "bias"), shortcut])
    return keras.Model(image, layers.ReLU()(total) if fault == "ReLU after the sum" else total)


def _totals(made: list[Part]) -> tuple[int, int]:
    """Parameters and multiply-adds of a whole network."""
    return sum(part.parameters for part in made), sum(part.multiply_adds for part in made)


def _shapes(channels: int, filters: int) -> list[tuple[int, ...]]:
    """Shapes of the three kernels of a bottleneck's branch."""
    quarter = filters // 4
    return [(1, 1, channels, quarter), (3, 3, quarter, quarter), (1, 1, quarter, filters)]


def _kernel_sizes(channels: int, filters: int) -> list[int]:
    """How many weights each of the three kernels has."""
    return [int(np.prod(shape)) for shape in _shapes(channels, filters)]


def _kernel_counts(model: keras.Model) -> Counter[tuple[int, ...]]:
    """How many kernels of each shape a model has."""
    return Counter(tuple(kernel.shape) for kernel in answers.kernels(model))


def _batch(model: keras.Model) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(16, *model.input_shape[1:])).astype("float32")


def _growth(model: keras.Model) -> float:
    """How many times larger the output becomes with an input 100 times larger."""
    x = _batch(model)
    loud, quiet = answers.outputs(model, 100 * x), answers.outputs(model, x)
    return float(np.linalg.norm(loud) / np.linalg.norm(quiet))


def _projecting(start: str) -> keras.Model:
    """A module that projects the activated tensor, as the package's, or the raw or normed one."""
    image = keras.Input((8, 8, 16))
    if start == "activated":
        return keras.Model(image, residual_module(image, 32, 2, reduce=True))
    layers = keras.layers
    branch = residual_module(image, 32, 2, shortcut=False)
    read = image if start == "raw" else layers.BatchNormalization(epsilon=2e-5)(image)
    projected = layers.Conv2D(32, 1, 2, use_bias=False)(read)
    return keras.Model(image, layers.add([branch, projected]))
