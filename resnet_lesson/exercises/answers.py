"""What the checks share: reading a learner's answer, and measuring what it is compared with.

An answer is a number, a table, or a function of tensors, of which a check makes a model.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..gradients.stacks import stack_gradients
from ..output import plain
from ..runtime import keras
from .tutor import Mistake, Unanswered, shown

MOST_PARAMETERS = 3_000_000  # a check of a larger model would keep the learner waiting
# Whether a reading of the question leads to the given number; then the Mistake's name, why, step
# and further.
Reading = tuple[bool, str, str, str, str]


def number(answer: Any) -> float:
    """The answer as a float. Raises a Mistake unless it is one finite real number."""
    value = math.nan
    if not isinstance(answer, str | bytes | bool):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            value = float(answer)
    if not math.isfinite(value):
        raise wrong_kind(answer, "a number")
    return value


def near(given: float, *others: float, within: float = 0.05) -> bool:
    """Whether a number differs from one of the others by no more than this share of it."""
    return any(abs(given - other) <= within * other for other in others)


def explain(saw: str, *readings: Reading) -> None:
    """Raise the Mistake of the first reading that leads to the given number, if any does."""
    for fits, name, why, step, further in readings:
        if fits:
            raise Mistake(name, saw, why, step, further)


def table(answer: Any, wanted: str) -> dict[float, float]:
    """A dict of numbers to numbers, as floats in order. Raises a Mistake for anything else."""
    if not isinstance(answer, dict):
        raise wrong_kind(answer, wanted)
    return dict(sorted((number(key), number(value)) for key, value in answer.items()))


def is_range(keys: Sequence[float], least: float, most: float) -> bool:
    """Whether these are 3 or more integers within the bounds, the last 4 times the first."""
    valid = all(key == int(key) and least <= key <= most for key in keys)
    return valid and len(keys) >= 3 and keys[-1] >= 4 * keys[0]


def by_scale(
    answer: Any, wanted: str, what: str, least: float, *positive: str
) -> tuple[np.ndarray, np.ndarray, str]:
    """How a measure depends on a scale.

    Args:
        answer: a dict of n scales to measures.
        wanted: describes that dict.
        what: names the measure.
        least: the smallest scale allowed.
        positive: why no measure is zero, what to try next, and one step further.

    Returns:
        (n,) the measures by rising scale; (n - 1,) the power of the scale with which the measure
        changes from each scale to the next; and the change from end to end in words.

    Raises:
        Mistake: the answer is of another kind, spans too few scales, or has a measure of 0.
    """
    found = table(answer, wanted)
    scales, values = list(found), np.array(list(found.values()))
    if len(scales) < 3 or scales[0] < least or scales[-1] < 10 * scales[0]:
        raise Mistake(
            "few scales",
            f"You looked at the scales `{shown(scales)}`.",
            "How one thing depends on another shows over a range.",
            f"take three scales or more, from {least:g} on, the largest ten times the smallest or "
            "more.",
            "1, 10 and 100 are a good start.",
        )
    if not (values > 0).all():
        raise Mistake(f"no {what}", f"One of your {what}s is `{plain(values.min())}`.", *positive)
    powers = np.diff(np.log(values)) / np.diff(np.log(scales))
    saw = f"From scale {scales[0]:g} to {scales[-1]:g} your {what} goes from "
    return values, powers, f"{saw}`{plain(values[0])}` to `{plain(values[-1])}`."


def check_measured(
    answer: Any, measure: Callable[[float], float], given: str, further: str
) -> None:
    """Raise a Mistake unless a dict of scales to measures is about what ``measure`` finds.

    Args:
        answer: the dict.
        measure: gives the measure at a scale.
        given: with what it was to be measured.
        further: a second step.
    """
    for scale, found in table(answer, "").items():
        due = measure(scale)
        if not near(found, due, within=0.15):
            raise Mistake(
                "not measured here",
                f"At scale {plain(scale, 3)} you give `{plain(found)}`, and I measure "
                f"`{plain(due)}`.",
                "Your numbers follow the right law, but they are not those of what the exercise "
                "asks for.",
                f"measure with {given}.",
                further,
            )


def change(times: float) -> str:
    """What becomes of a size that is multiplied by this, in words."""
    if not math.isfinite(times):
        return "leaves the range of numbers"
    if times > 1.2:
        return f"grows to about {plain(times)} times its size"
    return f"shrinks to {plain(times)} of its size" if times < 1 / 1.2 else "keeps its size"


def result_of(answer: Any, *arguments: Any) -> Any:
    """The result of a learner's function. Raises Unanswered if it returns nothing yet."""
    if not callable(answer):
        raise wrong_kind(answer, "a function")
    result = answer(*arguments)
    if result is None or result is ...:
        name = getattr(answer, "__name__", "your function")
        raise Unanswered(f"`{name}` returned nothing. Is its `return` still to be written?")
    return result


def array(result: Any, shape: Sequence[int]) -> np.ndarray:
    """A function's result as a float64 array. Raises a Mistake unless it has this shape."""
    try:
        values = np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError):
        raise wrong_kind(result, "numbers") from None
    if values.shape != tuple(shape):
        raise Mistake(
            "shape",
            f"Your function returned shape `{values.shape}`, where `{tuple(shape)}` was due.",
            "Numbers of another shape belong to another question.",
            "look at the shape after each line of your function.",
            f"for this call the result must have shape `{tuple(shape)}`.",
        )
    return values


def network(module: Any, shape: Sequence[int], *arguments: Any) -> keras.Model:
    """The model of a learner's function of a symbolic tensor of this shape.

    Raises a Mistake if it cannot be tried.
    """
    image = keras.Input(shape)
    result = result_of(module, image, *arguments)
    if not isinstance(result, keras.KerasTensor):
        raise wrong_kind(result, "the tensor that its last layer made")
    model = keras.Model(image, result)
    if model.count_params() > MOST_PARAMETERS:
        raise Mistake(
            "large",
            f"Your model has {model.count_params():,} parameters.",
            f"A check wants to answer at once, and tries none with over {MOST_PARAMETERS:,}.",
            "make it smaller: the exercise needs far less.",
            "look for the layer with the most parameters in `model.summary()`.",
        )
    return model


def kernels(model: keras.Model) -> list[keras.Variable]:
    """The kernels of a model's convolutions, from input to output."""
    return [weight for weight in model.weights if len(weight.shape) == 4]


def he_weights(random: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Weights of this shape, drawn by He's rule."""
    return np.sqrt(2 / np.prod(shape[:-1])) * random.standard_normal(shape)


def outputs(model: keras.Model, x: np.ndarray, scale: float = 1) -> np.ndarray:
    """The outputs in training mode, with kernels of this scale.

    Each kernel is drawn from a seed of its shape: those of equal modules are equal, in whatever
    order their layers were made.
    """
    for kernel in kernels(model):
        kernel.assign(scale * he_weights(np.random.default_rng([*kernel.shape]), kernel.shape))
    return np.asarray(model(x, training=True))


def close(values: np.ndarray, others: np.ndarray) -> bool:
    """Whether two arrays are equal, but for the epsilon of a batch or layer normalisation."""
    return values.shape == others.shape and bool(np.allclose(values, others, atol=0.02))


def end_ratio(depth: int, quantity: str = "signal_gradient", **options: Any) -> float:
    """The norm at the first layer of a stack over that at the last."""
    norms = getattr(stack_gradients(depth, **options), quantity)
    return float(norms[0] / norms[-1])


def wrong_kind(answer: Any, wanted: str) -> Mistake:
    """The Mistake of an answer that is of another kind than the one wanted."""
    return Mistake(
        "kind",
        f"It was to be {wanted}; I got `{shown(answer)}`, of type `{type(answer).__name__}`.",
        "I try an answer by using it, and this one cannot be used.",
        f"pass {wanted}.",
        "read the last lines of the exercise again: they name what it takes.",
    )
