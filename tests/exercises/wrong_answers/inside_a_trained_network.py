"""Answers that learners give, and the Mistake that each should get."""

from resnet_lesson import LesionExplorer
from resnet_lesson.runtime import keras

layers = keras.layers


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


def gone(*names):
    explorer = LesionExplorer()
    explorer.deleted = list(names)
    return explorer


WRONG = {
    "three": [
        (
            "cannot be spared",
            "leaves only 0.10",
            lambda: ["stage1_unit1", "stage1_unit2", "stage1_unit3"],
        ),
        (
            "cannot be spared",
            "Even alone",
            lambda: gone("stage2_unit2", "stage2_unit3", "stage3_unit3"),
        ),
        (
            "costly alone",
            "starts with a large loss",
            lambda: "stage1_unit3, stage2_unit2, stage2_unit3",
        ),
        (
            "another is better",
            "leaves 0.70",
            lambda: {"stage1_unit2", "stage2_unit3", "stage3_unit2"},
        ),
        (
            "no such module",
            "`'stage4_unit1'`",
            lambda: ("stage4_unit1", "stage1_unit1", "stage1_unit2"),
        ),
        ("not three", "2 different", lambda: ["stage1_unit2", "stage2_unit2", "stage2_unit2"]),
        ("kind", "three names", lambda: 3),
        ("kind", "three names", lambda: [0, 4, 5]),
    ],
    "stream": [
        ("level", "where the LN layer stands on the wire", lambda: 1),
        ("levels off", "add as much as the first", lambda: 2.2),
        ("multiplies", "by a factor", lambda: 2.2**4),
        ("same direction", "point the same way", lambda: 8.8),
        ("same direction", "a right angle", lambda: 1 + 4 * 1.2),
        ("too little", "more add to it", lambda: 2.8),
        ("kind", "pass a number", lambda: "four"),
    ],
    "parallel": [
        ("post-LN", "on the wire itself", lambda: post),
        ("one after the other", "the usual block", lambda: sequential),
        ("one after the other", "no branch waits", lambda: chained),
        ("normed shortcut", "rescales the sum", lambda: normed_shortcut),
        ("not once each", "calls `mlp` 0 times", lambda: one_branch),
        ("two shortcuts", "double its input", lambda: two_sums),
        ("no shortcut", "return zeros", lambda: no_shortcut),
        ("other sum", "nothing else is done", lambda: halved),
        ("not normed", "with mean 3", lambda: raw),
        ("other axis", "over tokens.", lambda: read(lambda x: norm(x, axis=1))),
        ("other axis", "batch", lambda: read(lambda x: layers.BatchNormalization()(x))),
        ("other norm", "neither the block", lambda: read(lambda x: x / 4)),
    ],
}
