"""Exercises of notebook 5: three trainings to diagnose, a kernel's scale."""

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Any

import numpy as np

from ..data.datasets import load
from ..gradients.history import MEASURES
from ..gradients.monitor import GradientMonitor
from ..gradients.probe import gradient_norms
from ..networks.cifar import build_cifar
from ..output import plain
from ..runtime import keras, set_seed
from . import answers
from .tutor import Mistake, Unanswered, exercise

BATCH, RATE = 128, 0.1  # with which a relative update is measured
DEALT = {"A": "frozen", "B": "healthy", "C": "exploding"}
KERNEL = "stage1_unit1_conv1"  # whose scale a learner changes


@exercise(
    "Draw one measure of all three monitors, such as "
    "`monitors['A'].plot(measure='gradient_norm')`, then the next measure. What does the lesson "
    "expect of the relative update of a layer that learns?",
    "Look at the relative updates alone. About a thousandth is usual. In one record they are far "
    "larger, and in one record most layers are far below it.",
)
def diagnose(diagnosis: Any) -> str:
    """Which of three trainings is healthy, which explodes, and in which are layers frozen?"""
    given = _diagnosis(diagnosis)
    ratio = plain(_middle(monitors()["B"]), 2)
    if given["B"] == "frozen":
        raise Mistake(
            "small gradient",
            "You call B frozen.",
            f"Its gradients are small, and yet each step moves its layers by about {ratio} of "
            "their size. It was trained before, so that little is left to learn.",
            "do not judge by the gradient: look at how far a step moves the weights.",
            "draw `update_ratio`, and look for layers far below a thousandth.",
        )
    if given["B"] == "exploding":
        raise Mistake(
            "steady",
            "You call B exploding.",
            f"From its first step to its last the relative updates stay near {ratio}. An "
            "explosion grows.",
            "look for a record whose numbers grow from left to right.",
            "`monitors[name].first_bad` says where numbers are no longer finite.",
        )
    if given["A"] == "exploding":
        raise Mistake(
            "large weights",
            "You call A exploding.",
            "Its weights are large, and they stay as they are from the first step to the last. In "
            "an explosion they grow from step to step.",
            "see how the norms of the weights change from left to right.",
            "one of the three records ends in numbers that are not finite: is it A?",
        )
    if given["measure"] != "update_ratio":
        raise Mistake(
            "other measure",
            f"You found all three, and name `{given['measure']}` as the measure that shows it.",
            "The gradients of B are smaller than those of A, and large weights may rest or grow. "
            "Neither of the two tells by itself whether a layer moves.",
            "look for the measure that is usual in one record, too large in another, and too "
            "small in the third.",
            "compare a step with the weights that it moves.",
        )
    return (
        "In A the weights are ten times as large as in a new network, and BN hides that from the "
        "answer. The rate is small, too, so that all layers but the last hardly move. B has "
        f"learned nearly all digits, and each step still moves its layers by about {ratio} of "
        "their size. In C each step is as large as the weights themselves. Only the relative "
        "update shows all three."
    )


@diagnose.solved_by
def diagnosis():
    return {"A": "frozen", "B": "healthy", "C": "exploding", "measure": "update_ratio"}


@cache
def monitors() -> dict[str, GradientMonitor]:
    """Three trainings of the same layers, each watched for one epoch, by letter."""
    start = keras.optimizers
    return {
        "A": _watched(start.SGD(0.001), scale=10),
        "B": _watched(start.Adam(0.01), epochs_before=8),
        "C": _watched(start.SGD(0.3), scale=4, normalization=False),
    }


def _watched(
    optimizer: Any, scale: float = 1, normalization: bool = True, epochs_before: int = 0
) -> GradientMonitor:
    """The monitor of one epoch, with kernels of this scale at the start."""
    digits = load("digits")
    set_seed(0)
    x = image = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(x)
    for number in range(1, 5):
        name = f"layer{number}"
        x = keras.layers.Dense(32, kernel_initializer="he_normal", name=name)(x)
        if normalization:
            x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
    answer = keras.layers.Dense(10, activation="softmax", name="answer")(x)
    model = keras.Model(image, answer)
    for layer in model.layers:
        if layer.name.startswith("layer"):
            layer.kernel.assign(scale * layer.kernel.numpy())
    model.compile(optimizer, "sparse_categorical_crossentropy")
    batches = {"x": digits.x_train, "y": digits.y_train, "batch_size": 64, "verbose": 0}
    if epochs_before:
        model.fit(**batches, epochs=epochs_before)
    monitor = GradientMonitor()
    model.fit(**batches, callbacks=[monitor])
    return copy(monitor)  # without the model


def _middle(monitor: GradientMonitor) -> float:
    """The median of the relative updates that are finite."""
    ratios = np.ma.filled(monitor.records["update_ratio"], np.nan)
    return float(np.median(ratios[np.isfinite(ratios)]))


def _diagnosis(answer: Any) -> dict[str, str]:
    """The answer's words by letter. Raises a Mistake unless it has a diagnosis for each record."""
    wanted = "a dict with the keys A, B, C and measure"
    if not isinstance(answer, dict):
        raise answers.wrong_kind(answer, wanted)
    given = {
        str(name).strip(): value.strip().lower() if isinstance(value, str) else value
        for name, value in answer.items()
        if isinstance(name, str)
    }
    keys = (*DEALT, "measure")
    for name in keys:
        if given.get(name) is None or given[name] is ...:
            raise Unanswered(f"there is nothing for `{name}` in your dict.")
    allowed = {**dict.fromkeys(DEALT, sorted(DEALT.values())), "measure": MEASURES}
    for name in keys:
        if not isinstance(given[name], str) or given[name] not in allowed[name]:
            raise answers.wrong_kind(given[name], f"one of {', '.join(allowed[name])}")
    if len({given[name] for name in DEALT}) < len(DEALT):
        raise Mistake(
            "twice",
            "You have the same diagnosis for two records.",
            "Each of the three occurs once.",
            "find the record that you are surest of, and go on with the other two.",
            "one of them ends in numbers that are not finite: begin there.",
        )
    return given


@exercise(
    "`model.get_layer('stage1_unit1_conv1').kernel` has `assign`. `gradient_norms` gives both "
    "norms of each kernel, and leaves the model as it was.",
    "BN undoes the scale, so a kernel twice as large says the same. How far must it be moved for "
    "the same change in what it says, and what is that to its norm? Measure at 1, 10 and 100.",
)
def turning(updates: Any) -> str:
    """How does the relative update of a kernel before BN depend on the kernel's scale?"""
    _, powers, saw = answers.by_scale(
        updates,
        "a dict of scales and their relative updates",
        "update",
        0.01,
        "A norm divided by a norm is positive, where anything moves at all.",
        "print the gradient norm and the weight norm at that scale.",
        "is the layer one that the loss reaches? Have you rounded?",
    )

    def all_near(power: float) -> bool:
        return bool((abs(powers - power) < 0.15).all())

    if all_near(-2):
        answers.check_measured(
            updates,
            _relative_update(),
            f"the kernel of `{KERNEL}`, the first {BATCH} digits and a rate of 0.1",
            "call `set_seed(0)` right before you build the network, and keep its options as given.",
        )
        return (
            f"{saw} It falls with the square of the scale: the gradient is divided by it, the "
            "norm multiplied. A first step that makes a kernel 9 times as large leaves it turning "
            "81 times less. Does it hold for a module's second convolution beside a shortcut, at "
            "scales below 1? For Adam? And what does L2 do about it in the long run?"
        )
    if all_near(0):
        raise Mistake(
            "unmoved",
            saw,
            "All scales give the same, as if the kernel had not been changed when it was measured.",
            "print the weight norm at each scale: does it grow as you meant it to?",
            "`kernel.assign(scale * start)`, and then measure that same model and layer.",
        )
    if all_near(1):
        raise Mistake(
            "weight norm",
            saw,
            "That is how the weights grow. How far they turn is a step's length over their norm.",
            "look at which of the norms you divide by which.",
            "the rate times the gradient norm, divided by the weight norm.",
        )
    if all_near(-1):
        raise Mistake(
            "one of two",
            saw,
            "It falls in proportion to the scale. So does the gradient alone; so does any step of "
            "fixed length, such as Adam's first, over the weights' norm.",
            "take plain SGD, and divide the step by the norm that the kernel has at that scale.",
            "two things change with the scale; your number has one of them.",
        )
    if abs(powers[0] + 2) < 0.3 and powers[-1] > -1.5:
        raise Mistake(
            "floor",
            saw,
            "At first it falls, then it meets a floor that does not come from the loss. A penalty "
            "such as L2 pulls at large weights the more, and BN does not hide that.",
            "measure the gradient of the loss alone, or take `reg=0`.",
            "`gradient_norms` leaves penalties out; a monitor has them in.",
        )
    raise Mistake(
        "other law",
        f"{saw} That is no single power of the scale.",
        "BN right behind a kernel undoes its scale, which leaves a single power. A kernel whose "
        "output meets a shortcut before the next BN is another case, as is a scale so small that "
        "BN's epsilon counts.",
        "take a layer of a plain network, the same start and the same digits at each scale.",
        "`set_seed(0)` before you build, one model, `kernel.assign(scale * start)`.",
    )


@turning.solved_by
def updates():
    from resnet_lesson import build_cifar, gradient_norms, load
    from resnet_lesson.runtime import set_seed

    digits = load("digits")
    set_seed(0)
    model = build_cifar(8, shortcut=False, input_shape=(8, 8, 1), base_filters=8)
    kernel = model.get_layer("stage1_unit1_conv1").kernel
    start, found = kernel.numpy(), {}
    for scale in (1, 10, 100):
        kernel.assign(scale * start)
        norms = gradient_norms(model, digits.x_train[:128], digits.y_train[:128])[1]
        found[scale] = 0.1 * norms.gradient_norm / norms.weight_norm
    return found


def _relative_update() -> Callable[[float], float]:
    """The relative update of the exercise's kernel as a function of the kernel's scale."""
    digits = load("digits")
    set_seed(0)
    model = build_cifar(8, shortcut=False, input_shape=(8, 8, 1), base_filters=8)
    kernel = model.get_layer(KERNEL).kernel
    start = kernel.numpy()

    def measured(scale: float) -> float:
        kernel.assign(scale * start)
        norms = gradient_norms(model, digits.x_train[:BATCH], digits.y_train[:BATCH])
        (found,) = (each for each in norms if each.layer == KERNEL)
        return RATE * found.gradient_norm / found.weight_norm

    return measured
