"""Exercises of notebook 6: three deleted modules, a growing sum, a parallel block."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..output import plain
from ..runtime import keras
from ..widgets import LesionExplorer
from . import answers
from .tutor import Mistake, exercise, shown

SPARED = 0.2  # of the test images: with less, a module counts as one that cannot be spared


@exercise(
    "`LesionExplorer().accuracy(name)` is the share of the test images that is right without this "
    "module. Print it for each name in `LesionExplorer().modules`: which can you rule out?",
    "`accuracy` takes several names, too. `itertools.combinations(modules, 3)` gives all 84 sets "
    "of three, and `max` with a `key` finds the best of them.",
)
def three(modules: Any) -> str:
    """Which three modules can be deleted together at the least cost?"""
    explorer = LesionExplorer()
    names = _names(modules, explorer)
    left, whole = explorer.accuracy(*names), explorer.accuracy()
    alone = {name: explorer.accuracy(name) for name in explorer.modules}
    best, *_ = sorted(
        itertools.combinations(explorer.modules, 3), key=lambda some: -explorer.accuracy(*some)
    )
    if set(names) == set(best):
        costs = [100 * (whole - alone[name]) for name in names]
        return (
            f"{left:.2f} of the test images are still right, the most of all 84 sets of three. "
            "One at a time, your modules cost "
            f"{', '.join(f'{cost:.1f}' for cost in costs)} points, {sum(costs):.1f} in all. "
            f"Together they cost {100 * (whole - left):.1f} points, which is more. So the modules "
            "are not independent: where one is missing, the others are needed more. What happens "
            "with four?"
        )
    without = ", ".join(f"`{name}`" for name in names)
    saw = f"Without {without}, {left:.2f} of the test images are right."
    fatal = [name for name in names if alone[name] < SPARED]
    if fatal:
        raise Mistake(
            "cannot be spared",
            saw,
            f"Even alone, the loss of `{fatal[0]}` leaves only {alone[fatal[0]]:.2f}. The others "
            "cannot make up for it.",
            "look at what each module costs when it is deleted alone.",
            "four of the nine modules leave less than 0.2. Three of the other five are the answer.",
        )
    costly = min((name for name in alone if alone[name] >= SPARED), key=lambda name: alone[name])
    if costly in names:
        raise Mistake(
            "costly alone",
            saw,
            f"Without `{costly}` alone, {alone[costly]:.2f} of the test images are right. A set "
            "of three that contains this module starts with a large loss.",
            "sort the modules that can be spared by what they cost alone.",
            f"leave `{costly}` in the network. Four modules are then left to choose from.",
        )
    raise Mistake(
        "another is better",
        saw,
        f"It is a good choice: the best set of three leaves {explorer.accuracy(*best):.2f}. What a "
        "module costs alone tells much about this, and not all.",
        "exchange one of the three, and compare.",
        "four modules are good candidates, so there are only four sets of three to try.",
    )


@three.solved_by
def deleted():
    from itertools import combinations

    from resnet_lesson import LesionExplorer

    explorer = LesionExplorer()
    return max(combinations(explorer.modules, 3), key=lambda some: explorer.accuracy(*some))


def _names(answer: Any, explorer: LesionExplorer) -> list[str]:
    """Three different modules in the network's order, from names in any collection, a text with
    commas, or an explorer in which they were deleted. Raises a Mistake for anything else."""
    wanted = "a list of three names of modules"
    if isinstance(answer, LesionExplorer):
        answer = answer.deleted
    if isinstance(answer, str):
        answer = answer.replace(",", " ").split()
    if not isinstance(answer, Iterable) or isinstance(answer, bytes | dict):
        raise answers.wrong_kind(answer, wanted)
    given = list(answer)
    if not all(isinstance(name, str) for name in given):
        raise answers.wrong_kind(answer, wanted)
    unknown = [name for name in given if name not in explorer.modules]
    if unknown:
        raise Mistake(
            "no such module",
            f"The network has no module `{shown(str(unknown[0]))}`.",
            f"Its modules are called {', '.join(f'`{name}`' for name in explorer.modules)}.",
            "copy the names from `LesionExplorer().modules`.",
            "a name has the stage and then the unit, such as `stage1_unit1`.",
        )
    if len(set(given)) != 3:
        raise Mistake(
            "not three",
            f"You name {len(set(given))} different modules.",
            "Each deleted module costs something, so only sets of one size can be compared.",
            "pass three different names.",
            "write them as a list, such as `[first, second, third]`.",
        )
    return [name for name in explorer.modules if name in given]


@exercise(
    "A branch reads the normed sum. So in a new network each branch adds about as much as the "
    "branch before it. Do these additions all point in the same direction?",
    "Vectors in unrelated directions are nearly at right angles, so their squares add up. How "
    "much do 12 modules add to the square of the size?",
)
def stream(times: Any) -> str:
    """How large is the sum on the wire of a pre-LN stack after 48 modules?"""
    given = answers.number(times)
    early = _growth(12, seed=0)
    grown = [_growth(48, seed) for seed in range(3)]
    if 0.85 * min(grown) <= given <= 1.15 * max(grown):
        return (
            f"Three draws of the weights give {min(grown):.1f} to {max(grown):.1f} times. Each "
            "branch adds about the same variance, so the size grows with the square root of the "
            "number of modules. That is no explosion. But the sum gets larger and larger, and "
            "needs an LN layer at its end."
        )
    saw = f"You expect {plain(given, 3)} times the size at the start."
    if given < 1.3:
        raise Mistake(
            "level",
            saw,
            "So it is in post-LN, where the LN layer stands on the wire. In pre-LN this layer "
            "stands in the branch, and nothing makes the sum smaller again.",
            "follow the wire past one module: what happens to the sum?",
            "each module adds something, and 12 modules have made the sum 2.2 times as large.",
        )
    if abs(given - early) < 0.4:
        raise Mistake(
            "levels off",
            saw,
            "The sum has that size already after 12 modules. The later branches read a normed sum, "
            "too, so they add as much as the first ones.",
            "ask how much module 13 adds, compared with module 1.",
            "in 12 modules the square grows from 1 to about 5. Go on like this.",
        )
    if given > 15:
        raise Mistake(
            "multiplies",
            saw,
            "So each module would multiply the sum by a factor. But its branch reads the sum after "
            "the LN layer, and cannot know how large the sum was.",
            "ask whether a branch adds more where the sum is larger.",
            "each module adds the same amount. Equal additions do not make a power.",
        )
    if given > 5:
        raise Mistake(
            "same direction",
            saw,
            "Sizes add up only where all vectors point the same way. The branches have different "
            "random weights, so their outputs point in unrelated directions.",
            "take two steps of length 1, with a right angle between them. How far do they lead?",
            "add the squares of the sizes, and take the root at the end.",
        )
    raise Mistake(
        "too little",
        saw,
        f"Twelve modules have made the sum {early:.1f} times as large, and 36 more add to it.",
        "write down the square of the size at the start and after 12 modules.",
        "every 12 modules add the same amount to the square.",
    )


@stream.solved_by
def expected():
    import numpy as np

    added = (2.2**2 - 1) / 12  # to the square of the size, by one module
    return np.sqrt(1 + 48 * added)


@exercise(
    "Draw three wires from `x`: one that goes straight to the addition, and one to each branch. "
    "On which of them does the norm stand?",
    "Make one `keras.layers.LayerNormalization()`, and keep what it returns under a name of its "
    "own. Both branches need it, and the shortcut needs `x` itself.",
)
def parallel(block: Any) -> str:
    """Build a pre-LN block whose two branches read the same tensor."""
    tokens, features = 6, 16
    attention, mlp = _Branch(features, seed=1), _Branch(features, seed=2)
    model = answers.network(block, (tokens, features), attention, mlp)
    for name, branch in (("attention", attention), ("mlp", mlp)):
        if len(branch.seen) != 1:
            raise Mistake(
                "not once each",
                f"Your block calls `{name}` {len(branch.seen)} times.",
                "Each branch has its own task, and should be called once.",
                "call both branches, each on one tensor.",
                "two calls, and one addition of three terms, make the block.",
            )
    x = 3 + 2 * np.random.default_rng(0).standard_normal((4, tokens, features))
    x = x.astype(np.float32)
    both = keras.Model(model.input, [model.output, attention.seen[0], mlp.seen[0]])
    # In training mode a batch normalisation uses the batch's statistics, and so shows itself.
    result, *seen = (np.asarray(values) for values in both(x, training=True))
    result = answers.array(result, x.shape)
    outputs = [np.asarray(attention.layer(seen[0])), np.asarray(mlp.layer(seen[1]))]
    normed = _normed(x, -1)
    if answers.close(result, _normed(result, -1)):
        raise Mistake(
            "post-LN",
            "What leaves your block has mean 0 and variance 1 at each token, whatever came in.",
            "The LN layer stands behind the addition, on the wire itself. So each block rescales "
            "everything that the blocks before it have added.",
            "take the LN layer off the wire.",
            "norm in front of the branches, and return the result of the addition.",
        )
    for name, value in zip(("attention", "mlp"), seen, strict=True):
        if answers.close(value, x):
            raise Mistake(
                "not normed",
                f"Your `{name}` reads the block's input as it is, here with mean {x.mean():.0f}.",
                "In a deep stack the sum on the wire grows from block to block. Without a norm, so "
                "would the input of every branch.",
                "norm the input of the branch, not its output.",
                "the output of the LN layer goes into both branches.",
            )
        for axes, over in (((0, 1), "tokens and batch"), ((1,), "tokens"), ((1, 2), "all at once")):
            if answers.close(value, _normed(x, axes)):
                raise Mistake(
                    "other axis",
                    f"The input of your `{name}` is normed over {over}.",
                    "So one token's numbers depend on other tokens, or on the batch. Layer "
                    "normalisation treats each token by itself, over its features.",
                    "look at the kind of your norm layer, and at its `axis`.",
                    "features are the last axis, and `LayerNormalization` takes it by default.",
                )
    for name, value, other, output in (
        ("attention", seen[0], "mlp", outputs[1]),
        ("mlp", seen[1], "attention", outputs[0]),
    ):
        after = (output, x + output, _normed(output, -1), _normed(x + output, -1))
        if any(answers.close(value, each) for each in after):
            raise Mistake(
                "one after the other",
                f"Your `{name}` reads the output of `{other}`.",
                "That is the usual block, or a longer branch. In a parallel block no branch waits "
                "for the other, so both can be computed at once.",
                "give both branches the same tensor.",
                "norm `x` once, name the result, and pass it to both.",
            )
        if not answers.close(value, normed):
            raise Mistake(
                "other norm",
                f"The input of your `{name}` has mean {value.mean():.2f} and standard deviation "
                f"{value.std():.2f} in all.",
                "It is neither the block's input nor its layer norm, which has mean 0 and standard "
                "deviation 1 at each token.",
                "print the input of a branch, for one token.",
                "nothing but one `LayerNormalization` stands between `x` and a branch.",
            )
    rest = result - outputs[0] - outputs[1]
    if answers.close(rest, x):
        return (
            "Your block's output, minus the outputs of the two branches, is its input: the wire is "
            "whole. Both branches read the same normed tensor, so neither waits for the other. "
            "With branches that return zeros the block is the identity, as a residual module is."
        )
    if answers.close(rest, 0 * x):
        raise Mistake(
            "no shortcut",
            "With branches that return zeros, your block would return zeros.",
            "So the gradient would have to pass a branch in every block, as in a plain network.",
            "let `x` reach the addition.",
            "three terms are added: `x`, and one from each branch.",
        )
    if answers.close(rest, normed):
        raise Mistake(
            "normed shortcut",
            "With branches that return zeros, your block would return the normed input.",
            "The shortcut starts behind the LN layer, so each block rescales the sum on the wire.",
            "let the shortcut start before the LN layer.",
            "after `x = norm(x)` the name `x` no longer means the input.",
        )
    if answers.close(rest, 2 * x):
        raise Mistake(
            "two shortcuts",
            "With branches that return zeros, your block would double its input.",
            "Two sums of `x` and a branch contain `x` twice. Twelve such blocks would make it "
            "4,096 times as large.",
            "count how often `x` is added.",
            "add the three terms in one addition.",
        )
    raise Mistake(
        "other sum",
        "Your block's output is not its input plus the outputs of both branches.",
        "The wire stays whole only where the outputs are added, and nothing else is done.",
        "add the three terms without a factor, and put nothing behind the sum.",
        "check that the output of each branch is in the sum once.",
    )


@parallel.solved_by
def parallel_block(x, attention, mlp):
    from resnet_lesson.runtime import keras

    normed = keras.layers.LayerNormalization()(x)
    return x + attention(normed) + mlp(normed)


def _growth(
    blocks: int, seed: int, features: int = 64, hidden: int = 256, tokens: int = 16
) -> float:
    """The size of the sum on the wire after pre-LN blocks of an MLP, with Glorot's weights, over
    that at the start.

    Few tokens: a larger product would wait for the threads of a busy machine.
    """
    random = np.random.default_rng(seed)
    deviation = np.sqrt(2 / (features + hidden))
    x = start = random.standard_normal((tokens, features))
    for _ in range(blocks):
        up = deviation * random.standard_normal((features, hidden))
        down = deviation * random.standard_normal((hidden, features))
        x = x + np.maximum(_normed(x, -1) @ up, 0) @ down
    return float(np.sqrt(np.mean(x**2) / np.mean(start**2)))


class _Branch:
    """A dense layer that a learner's block calls as a branch; ``seen`` are the tensors it read."""

    def __init__(self, features: int, seed: int) -> None:
        self.layer = keras.layers.Dense(
            features, kernel_initializer=keras.initializers.GlorotNormal(seed)
        )
        self.seen: list[keras.KerasTensor] = []

    def __call__(self, values: keras.KerasTensor) -> keras.KerasTensor:
        self.seen.append(values)
        return self.layer(values)


def _normed(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    mean, deviation = values.mean(axis, keepdims=True), values.std(axis, keepdims=True)
    return (values - mean) / (deviation + 1e-9)
