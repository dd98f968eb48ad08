"""Exercises of notebook 5: a stream's growth, a schedule, a parallel block, a kernel's scale."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..data.datasets import load
from ..gradients.probe import gradient_norms
from ..networks.cifar import build_cifar
from ..output import plain
from ..runtime import keras, set_seed
from . import answers
from .tutor import Mistake, exercise

# What He et al. 2015 did on CIFAR-10.
ITERATIONS, BATCH, TRAIN, TEST = 64_000, 128, 50_000, 10_000
DIVISIONS, WARM_UP, RATE = (32_000, 48_000), 400, 0.1
KERNEL = "stage1_unit1_conv1"  # whose scale a learner changes


@exercise(
    "A branch sees the normed stream, so at birth each adds about as much as the one before. Do "
    "these additions all point the same way?",
    "Vectors that have nothing to do with each other add up by their squares: a walk with random "
    "turns gets as far as the root of its steps. How much is added to the square in 12 blocks?",
)
def stream(times: Any) -> str:
    """How large is the stream of a pre-LN stack after 48 blocks?"""
    given = answers.number(times)
    early = _growth(12, seed=0)
    grown = [_growth(48, seed) for seed in range(3)]
    if 0.85 * min(grown) <= given <= 1.15 * max(grown):
        return (
            f"Three draws of the weights give {min(grown):.1f} to {max(grown):.1f} times. Each "
            "branch adds about the same to the square, so the size goes with the root of the "
            "depth: no explosion, but a stream that gets larger, and wants a norm at its end."
        )
    saw = f"You expect {plain(given, 3)} times the size at the start."
    if given < 1.3:
        raise Mistake(
            "level",
            saw,
            "That is what post-LN does, whose norm stands on the wire. In pre-LN the norm stands "
            "in the branch, and nothing makes the stream smaller again.",
            "follow the wire past one block: what is done to it?",
            "something is added at each block, and 12 blocks have made it 2.2 times as large.",
        )
    if abs(given - early) < 0.4:
        raise Mistake(
            "levels off",
            saw,
            "After 12 blocks it has that size already. The branches behind them see a normed "
            "stream as well, and add as much as the first.",
            "ask what block 13 adds, compared with block 1.",
            "the square goes from 1 to about 5 in 12 blocks; go on like this.",
        )
    if given > 15:
        raise Mistake(
            "multiplies",
            saw,
            "So each block would multiply the stream by a factor. But its branch sees the stream "
            "normed, and does not know how large it is.",
            "ask whether a branch adds more where the stream is larger.",
            "what is added stays the same from block to block: that makes sums, not powers.",
        )
    if given > 5:
        raise Mistake(
            "same direction",
            saw,
            "Sizes add up only where all vectors point the same way. Branches with weights drawn "
            "apart point anywhere.",
            "two steps of length 1 with a right angle between them: how far do they lead?",
            "add squares in place of sizes, and take the root at the end.",
        )
    raise Mistake(
        "too little",
        saw,
        f"Twelve blocks have made it {early:.1f} times as large, and the others add to it.",
        "write down the square of the size at the start and after 12 blocks.",
        "each 12 blocks add the same to the square.",
    )


@stream.solved_by
def expected():
    import numpy as np

    added = (2.2**2 - 1) / 12  # to the stream's square, by a block
    return np.sqrt(1 + 48 * added)


@exercise(
    "An iteration is one step: it takes one batch. How many images have gone by after all steps?",
    "Divide the images that have gone by by those that there are to learn from. The test images "
    "are not among them.",
)
def seen(times: Any) -> str:
    """How often does He's training on CIFAR-10 see each image?"""
    given = answers.number(times)
    images = ITERATIONS * BATCH
    right = images / TRAIN
    near = partial(answers.near, given, within=0.02)
    if near(right):
        first, second = (division * BATCH / TRAIN for division in DIVISIONS)
        return (
            f"{right:.0f} epochs of {TRAIN / BATCH:.0f} steps; the rate is divided after "
            f"{first:.0f} and {second:.0f} of them. With other batches the same number of "
            "iterations is another training: compare by what was seen, and say which you count."
        )
    saw = f"You say that each image is seen {plain(given, 3)} times."
    answers.explain(
        saw,
        (
            near(ITERATIONS / TRAIN),
            "no batch",
            "That would be so if a step took one image. It takes a whole batch, and moves the "
            "weights once.",
            "count how many images a single step looks at.",
            "multiply the iterations by the size of a batch before you divide.",
        ),
        (
            near(ITERATIONS / BATCH),
            "iterations as images",
            "You divided the iterations by the batch, as if 64,000 were images. A batch is what a "
            "step takes, not a share of the steps.",
            "write the unit behind each number: steps, images a step, images.",
            "steps times images a step makes images: these are what the set of images divides.",
        ),
        (
            near(TRAIN / BATCH),
            "steps",
            "So many steps make one epoch: one look at each image.",
            "ask how often that many steps fit into the whole training.",
            "the iterations have not come into your number yet.",
        ),
        (
            near(1 / right),
            "upside down",
            "Less than one look at each would mean that most images are never used.",
            "ask what is divided by what: looks at images, by images.",
            "turn your fraction round.",
        ),
        (
            near(images / (TRAIN + TEST)),
            "tested on",
            "Your set has the test images in it. What a network has trained on says nothing about "
            "images that are new to it.",
            "leave the test images where they are.",
            f"of 60,000 images, {TEST:,} wait for the end.",
        ),
        (
            near(images / (TRAIN - 5_000)),
            "held out",
            "That is with 45,000 images: so it was when the schedule was chosen, with 5,000 held "
            "out. The network whose error is reported may use those, too.",
            "count with all images that are not for the test.",
            f"divide by {TRAIN:,}.",
        ),
        (
            near(*(division * BATCH / TRAIN for division in DIVISIONS)),
            "not the end",
            "So many epochs are over when the rate is divided, and training goes on.",
            "look for the number of iterations at which it ends.",
            "use the largest of the three numbers of iterations.",
        ),
        (
            near(images),
            "all together",
            "That is how many images go by, each of them counted every time.",
            "spread them over the images that there are.",
            f"there are {TRAIN:,} to train on.",
        ),
    )
    raise Mistake(
        "other count",
        saw,
        "I count the images that go by, and divide by those there are.",
        "write the unit behind each number, and see that they cancel.",
        "steps, times images a step, divided by images, is a number without a unit.",
    )


@seen.solved_by
def times_seen():
    iterations, batch, images = 64_000, 128, 60_000 - 10_000
    return iterations * batch / images


@exercise(
    "Call your function at a step in each of its four parts, 100, 10,000, 40,000 and 60,000, and "
    "compare with what was to happen there.",
    "Of several `if` that return, the first that is true has the word. Which one has it at 60,000?",
)
def schedule(rate: Any) -> str:
    """A schedule whose rate is wrong somewhere: mend it."""
    steps = [100, 200, 300, 400, 500, 10_000, 31_000, 32_100, 40_000, 47_000, 48_100, 60_000]
    edges = {beside for at in DIVISIONS for beside in (at - 1, at)}
    rates = {
        step: float(answers.array(answers.result_of(rate, step), ())) for step in (*steps, *edges)
    }

    def saw(*some: int) -> str:
        values = (f"`{plain(rates[step], 3)}` at step {step:,}" for step in some)
        return f"Your rate is {' and '.join(values)}."

    for step in steps:
        if not (np.isfinite(rates[step]) and rates[step] > 0):
            raise Mistake(
                "no rate",
                saw(step),
                "A rate is positive: at 0 nothing is learned, and below it the loss is climbed.",
                "look for a subtraction, or for a `//` where `/` was meant.",
                "dividing by 10 again and again never reaches 0.",
            )
    if rates[10_000] > 1.05 * rates[500]:
        raise Mistake(
            "never ends",
            saw(500, 10_000),
            "The warm-up goes on when it should be over; so the rate grows to where no training "
            "survives.",
            "let something stop the warm-up at step 400.",
            "the share of the warm-up that is over, `step / 400`, must not get above 1.",
        )
    if rates[10_000] < 0.5 * RATE:
        raise Mistake(
            "too soon",
            saw(10_000),
            "The rate is small long before a division is due: steps are counted here, not epochs, "
            "and 10,000 of them are only some 26 epochs.",
            "compare the step with the numbers of steps in the exercise.",
            "an epoch has 391 steps. At which step is your first division?",
        )
    if rates[100] > 0.9 * rates[500]:
        raise Mistake(
            "no warm-up",
            saw(100, 500),
            "He et al. found 0.1 too large for a fresh network of 110 layers, so the rate rises "
            "first.",
            "let the rate rise in proportion to the step until 400.",
            "halfway through the warm-up the rate is half of what it will be.",
        )
    if rates[40_000] > 0.9 * rates[10_000]:
        raise Mistake(
            "no division",
            saw(10_000, 40_000),
            "With a large rate a training jumps about its goal; smaller steps let it settle.",
            "ask which of your lines is reached at step 40,000.",
            "print what your conditions say there, one after the other.",
        )
    for start, later in ((32_100, 40_000), (48_100, 60_000)):
        if rates[start] < 0.9 * rates[later]:
            raise Mistake(
                "starts over",
                saw(start, later),
                "Your warm-up begins anew at a division. It is for a fresh network, and this one "
                "has long found its ground.",
                "let the warm-up depend on the step since the start alone.",
                "after step 400 the warm-up multiplies by 1 for ever.",
            )
    if rates[60_000] > 0.9 * rates[40_000]:
        raise Mistake(
            "last division",
            saw(40_000, 60_000),
            "The second division never comes. No error tells you: the training goes on, at ten "
            "times the rate that was meant.",
            "follow your function with `step = 60_000`, line by line: where does it return?",
            "a step beyond 48,000 is also beyond 32,000.",
        )
    due = {
        step: RATE * min(1, step / WARM_UP) / 10 ** sum(step >= at for at in DIVISIONS)
        for step in rates
    }
    wrong = [step for step in rates if not np.isclose(rates[step], due[step], rtol=0.05, atol=0)]
    if wrong and set(wrong) <= edges:
        at = next(at for at in DIVISIONS if {at - 1, at} & set(wrong))
        raise Mistake(
            "another step",
            saw(at - 1, at),
            f"The rate is to be divided at step {at:,}: that step is the first with the new rate, "
            "and the one before it the last with the old.",
            f"work out what your conditions say at step {at:,} and at the step before it.",
            "`>` leaves out the step that it names, `>=` takes it in.",
        )
    if wrong:
        raise Mistake(
            "other rate",
            saw(wrong[0]),
            "The shape is right, the height is not: `0.1`, a tenth, a tenth of that, and a "
            "straight line up to the first.",
            f"work out by hand what is due at step {wrong[0]:,}.",
            f"at step {wrong[0]:,} the rate is to be {plain(due[wrong[0]], 3)}.",
        )
    return (
        "Up to 0.1 in 400 steps, a tenth of that from 32,000, a hundredth from 48,000. The other "
        "would have trained without a word of complaint: draw a schedule before you train by it."
    )


@schedule.solved_by
def rate(step):
    if step < 400:
        return 0.1 * step / 400
    if step < 32_000:
        return 0.1
    if step < 48_000:
        return 0.01
    return 0.001


@exercise(
    "Draw three wires from `x`: one that goes straight to the addition, and one to each branch. "
    "On which of them does the norm stand?",
    "Make one `keras.layers.LayerNormalization()`, and keep what it returns under a name of its "
    "own: both branches need it, and the shortcut needs `x` as it came.",
)
def parallel(block: Any) -> str:
    """A pre-LN block whose two branches read the same stream: build it."""
    tokens, features = 6, 16
    attention, mlp = _Branch(features, seed=1), _Branch(features, seed=2)
    model = answers.network(block, (tokens, features), attention, mlp)
    for name, branch in (("attention", attention), ("mlp", mlp)):
        if len(branch.seen) != 1:
            raise Mistake(
                "not once each",
                f"Your block calls `{name}` {len(branch.seen)} times.",
                "Each branch has its own work, and is to do it once.",
                "call both branches, each on one tensor.",
                "two calls and one addition of three terms make the block.",
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
            "The norm stands behind the addition, on the wire itself: each block rescales what "
            "all blocks before it have said.",
            "take the norm off the wire.",
            "norm before the branches; what the addition returns is the block's output.",
        )
    for name, value in zip(("attention", "mlp"), seen, strict=True):
        if answers.close(value, x):
            raise Mistake(
                "raw stream",
                f"Your `{name}` reads the stream as it comes, here with mean {x.mean():.0f}.",
                "In a deep stack the stream grows from block to block, and so would what the "
                "branches have to work with.",
                "norm what a branch reads, not what it says.",
                "the norm's output goes into both branches.",
            )
        for axes, over in (((0, 1), "tokens and batch"), ((1,), "tokens"), ((1, 2), "all at once")):
            if answers.close(value, _normed(x, axes)):
                raise Mistake(
                    "other axis",
                    f"What your `{name}` reads is normed over {over}.",
                    "So what a token is depends on its neighbours, or on the batch. Layer "
                    "normalisation takes each token by itself, over its features.",
                    "look at the `axis` of your norm, and at its kind.",
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
                f"Your `{name}` reads what `{other}` has said.",
                "That is the usual block, or a longer branch. In a parallel one neither waits for "
                "the other, so both can be computed at once.",
                "give both branches the same tensor.",
                "norm `x` once, name the result, and pass it to both.",
            )
        if not answers.close(value, normed):
            raise Mistake(
                "other norm",
                f"What your `{name}` reads has mean {value.mean():.2f} and standard deviation "
                f"{value.std():.2f} in all.",
                "It is neither the stream nor its layer norm, which has mean 0 and deviation 1 at "
                "each token.",
                "print what a branch reads, for one token.",
                "nothing but one `LayerNormalization` stands between `x` and a branch.",
            )
    rest = result - outputs[0] - outputs[1]
    if answers.close(rest, x):
        return (
            "What comes out, less what the two branches say, is the input: your wire is whole. "
            "Both read the same normed tensor, so neither waits for the other. With silent "
            "branches the block is the identity, as a residual module is."
        )
    if answers.close(rest, 0 * x):
        raise Mistake(
            "no shortcut",
            "With silent branches your block would put out zeros.",
            "So the gradient has to pass a branch in every block, as in a plain network.",
            "let `x` reach the addition.",
            "three terms are added: `x`, and one from each branch.",
        )
    if answers.close(rest, normed):
        raise Mistake(
            "normed shortcut",
            "With silent branches your block would put out the normed input.",
            "The shortcut is taken behind the norm, so each block rescales the wire.",
            "let the wire leave before the norm.",
            "a name that is assigned twice, `x = norm(x)`, forgets the stream.",
        )
    if answers.close(rest, 2 * x):
        raise Mistake(
            "two shortcuts",
            "With silent branches your block would double its input.",
            "Two sums of `x` and a branch hold `x` twice, and twelve such blocks make it 4,096 "
            "times as large.",
            "count how often `x` reaches the end.",
            "add the three terms in one addition.",
        )
    raise Mistake(
        "other sum",
        "What leaves your block is not the input plus what each branch says.",
        "The wire stays whole where things are added to it and nothing else is done.",
        "take the sum of the three terms, without a factor, and put nothing behind it.",
        "check that both branches' outputs are in the sum, once each.",
    )


@parallel.solved_by
def parallel_block(x, attention, mlp):
    from resnet_lesson.runtime import keras

    normed = keras.layers.LayerNormalization()(x)
    return x + attention(normed) + mlp(normed)


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


def _growth(
    blocks: int, seed: int, features: int = 64, hidden: int = 256, tokens: int = 16
) -> float:
    """The size of the stream after pre-LN blocks of an MLP, with Glorot's weights, over that at
    the start.

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
