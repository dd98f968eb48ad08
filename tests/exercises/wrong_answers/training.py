"""Answers that learners give, and the Mistake that each should get."""

from resnet_lesson.runtime import keras

layers = keras.layers


def faulty(step):
    """As in the notebook."""
    if step < 400:
        return 0.1 * step / 400
    if step >= 32_000:
        return 0.01
    if step >= 48_000:
        return 0.001
    return 0.1


def divided(step):
    return 0.1 / 10 ** ((step >= 32_000) + (step >= 48_000))


def right(step):
    return divided(step) * min(1, step / 400)


def late(step):
    return right(step) if step != 48_000 else 0.01


def starts_over(step):
    since = step - max(start for start in (0, 32_000, 48_000) if start <= step)
    return divided(step) * min(1, since / 400)


def in_epochs(step):
    return 0.1 * min(1, step / 400) / 10 ** ((step >= 82) + (step >= 123))


def norm(x, **options):
    return layers.LayerNormalization(**options)(x)


def post(x, attention, mlp):
    return norm(x + attention(x) + mlp(x))


def sequential(x, attention, mlp):
    x = x + attention(norm(x))
    return x + mlp(norm(x))


def chained(x, attention, mlp):
    return x + mlp(attention(norm(x)))


def normed_shortcut(x, attention, mlp):
    x = norm(x)
    return x + attention(x) + mlp(x)


def one_branch(x, attention, mlp):
    return x + attention(norm(x))


def two_sums(x, attention, mlp):
    normed = norm(x)
    return (x + attention(normed)) + (x + mlp(normed))


def no_shortcut(x, attention, mlp):
    normed = norm(x)
    return attention(normed) + mlp(normed)


def halved(x, attention, mlp):
    normed = norm(x)
    return x + (attention(normed) + mlp(normed)) / 2


def raw(x, attention, mlp):
    return x + norm(attention(x)) + norm(mlp(x))


def read(make):
    """A block that is right, but for the norm that its branches read."""

    def block(x, attention, mlp):
        normed = make(x)
        return x + attention(normed) + mlp(normed)

    return block


def powers(exponent, scales=(1, 10, 100), floor=0.0):
    return {scale: 0.02 * scale**exponent + floor for scale in scales}


WRONG = {
    "stream": [
        ("level", "what post-LN does", lambda: 1),
        ("levels off", "add as much as the first", lambda: 2.2),
        ("multiplies", "by a factor", lambda: 2.2**4),
        ("same direction", "point the same way", lambda: 8.8),
        ("same direction", "a right angle", lambda: 1 + 4 * 1.2),
        ("too little", "add to it", lambda: 2.8),
        ("kind", "pass a number", lambda: "four"),
    ],
    "seen": [
        ("no batch", "a whole batch", lambda: 64_000 / 50_000),
        ("iterations as images", "not a share of the steps", lambda: 64_000 / 128),
        ("steps", "one look at each image", lambda: 391),
        ("upside down", "never used", lambda: 50_000 / (64_000 * 128)),
        ("tested on", "new to it", lambda: 64_000 * 128 / 60_000),
        ("held out", "5,000 held", lambda: 182),
        ("not the end", "training goes on", lambda: 82),
        ("all together", "counted every time", lambda: 64_000 * 128),
        ("other count", "divide by those", lambda: 10),
    ],
    "schedule": [
        ("last division", "never comes", lambda: faulty),
        ("never ends", "goes on when it should", lambda: lambda step: divided(step) * step / 400),
        ("no warm-up", "too large for a fresh network", lambda: divided),
        ("starts over", "begins anew", lambda: starts_over),
        ("too soon", "not epochs", lambda: in_epochs),
        ("another step", "`0.01` at step 48,000", lambda: late),
        ("another step", "`0.01` at step 31,999", lambda: lambda step: right(step + 1)),
        ("no division", "smaller steps", lambda: lambda step: 0.1 * min(1, step / 400)),
        ("no rate", "nothing is learned", lambda: lambda step: divided(step) // 1),
        (
            "other rate",
            "the height is not",
            lambda: lambda step: 2 * divided(step) * min(1, step / 400),
        ),
    ],
    "parallel": [
        ("post-LN", "on the wire itself", lambda: post),
        ("one after the other", "the usual block", lambda: sequential),
        ("one after the other", "neither waits", lambda: chained),
        ("normed shortcut", "rescales the wire", lambda: normed_shortcut),
        ("not once each", "calls `mlp` 0 times", lambda: one_branch),
        ("two shortcuts", "double its input", lambda: two_sums),
        ("no shortcut", "put out zeros", lambda: no_shortcut),
        ("other sum", "nothing else is done", lambda: halved),
        ("raw stream", "with mean 3", lambda: raw),
        ("other axis", "over tokens.", lambda: read(lambda x: norm(x, axis=1))),
        ("other axis", "batch", lambda: read(lambda x: layers.BatchNormalization()(x))),
        ("other norm", "neither the stream", lambda: read(lambda x: x / 4)),
    ],
    "turning": [
        ("one of two", "the gradient alone", lambda: powers(-1)),
        ("weight norm", "over their norm", lambda: powers(1)),
        ("unmoved", "had not been changed", lambda: powers(0)),
        ("floor", "such as L2", lambda: powers(-2, floor=2e-5)),
        ("not measured here", "I measure `0.017`", lambda: powers(-2)),
        ("few scales", "over a range", lambda: powers(-2, (1, 2, 3))),
        ("no update", "is positive", lambda: powers(-2) | {10: 0}),
        ("other law", "no single power", lambda: {0.1: 0.24, 1: 0.012, 10: 1.3e-4}),
    ],
}
