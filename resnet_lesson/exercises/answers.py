"""What a learner may pass, taken at its word: a number, a function of tensors, a table."""

import contextlib
import math

import numpy as np

from ..runtime import keras
from .tutor import Mistake, Unanswered, shown

MOST_PARAMETERS = 3_000_000  # of a model that a check can still try while one waits


def number(answer):
    """The answer as a float. Raises a Mistake unless it is one finite real number."""
    value = math.nan
    if not isinstance(answer, str | bytes | bool):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            value = float(answer)
    if not math.isfinite(value):
        raise other_kind(answer, "a number")
    return value


def table(answer, wanted):
    """A dict of numbers by number, as floats in order; or a Mistake, with what was wanted."""
    if not isinstance(answer, dict):
        raise other_kind(answer, wanted)
    return dict(sorted((number(key), number(value)) for key, value in answer.items()))


def is_range(keys, least, most):
    """Whether they are three or more whole numbers in these bounds, the last 4 times the first."""
    whole = all(key == int(key) and least <= key <= most for key in keys)
    return whole and len(keys) >= 3 and keys[-1] >= 4 * keys[0]


def by_scale(answer, wanted, what, least, *positive):
    """How a measure goes with a scale: the measures by rising scale, the power of the scale by
    which each goes to the next, and the two ends in words; or a Mistake.

    ``what`` names the measure, ``least`` is the smallest scale to look at, and ``positive`` says
    why no measure is zero, what to try next, and one step further.
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
        raise Mistake(f"no {what}", f"One of your {what}s is `{values.min():g}`.", *positive)
    powers = np.diff(np.log(values)) / np.diff(np.log(scales))
    saw = f"From scale {scales[0]:g} to {scales[-1]:g} your {what} goes from "
    return values, powers, f"{saw}`{values[0]:.2g}` to `{values[-1]:.2g}`."


def function(answer):
    """The answer, which can be called. Raises a Mistake if it cannot."""
    if not callable(answer):
        raise other_kind(answer, "a function")
    return answer


def asked(answer, *arguments, **options):
    """What a learner's function returns; one that returns nothing is not written yet."""
    result = function(answer)(*arguments, **options)
    if result is None or result is ...:
        name = getattr(answer, "__name__", "your function")
        raise Unanswered(f"`{name}` returned nothing. Is its `return` still to be written?")
    return result


def array(result, shape):
    """A function's result as a float64 array of this shape, or a Mistake."""
    try:
        values = np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError):
        raise other_kind(result, "numbers") from None
    if values.shape != tuple(shape):
        raise Mistake(
            "shape",
            f"Your function returned shape `{values.shape}`, where `{tuple(shape)}` was due.",
            "Numbers of another shape belong to another question.",
            "look at the shape after each line of your function.",
            f"for this call the result must have shape `{tuple(shape)}`.",
        )
    return values


def network(module, shape, *arguments):
    """A ``keras.Model`` of a learner's function of a symbolic tensor of this shape."""
    image = keras.Input(shape)
    return model_from(image, asked(module, image, *arguments))


def model_from(image, result):
    """The ``keras.Model`` from image to a function's result, or a Mistake."""
    if not isinstance(result, keras.KerasTensor):
        raise other_kind(result, "the tensor that its last layer made")
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


def kernels(model):
    """The kernels of a model's convolutions, in the order in which the signal meets them."""
    return [weight for weight in model.weights if len(weight.shape) == 4]


def other_kind(answer, wanted):
    """The Mistake of an answer that is not what was wanted, in words."""
    return Mistake(
        "kind",
        f"It was to be {wanted}; I got `{shown(answer)}`, of type `{type(answer).__name__}`.",
        "I try an answer by using it, and this one cannot be used.",
        f"pass {wanted}.",
        "read the last lines of the exercise again: they name what it takes.",
    )
