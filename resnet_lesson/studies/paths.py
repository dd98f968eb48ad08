"""A residual network as many paths: gradient by the length of its path, and modules deleted.

After Veit et al. 2016, arXiv 1605.06431.
"""

from .engine import Study, product

BATCH, RATE = 64, 0.1
SAMPLES = 16  # paths of each length whose own gradient is taken


def measure(part, network, depth, epochs, seed):
    """What ``part`` asks of a network after ``epochs`` at a rate of 0.1; 0 is at initialisation.

    "length", one line for each number of branches that a path leads through: ``length``; the
    part of the gradient at the first module's input that came by all paths of this length, as
    ``log10_norm`` and, over the norm of the whole gradient, ``share`` (parts are vectors: their
    norms do not add up to 1); ``log10_path_norm``, of the mean norm of single paths drawn from
    them. There are math.comb(modules, length) paths of a length.

    "deletion", one line for each module: ``module``, from 1; the test ``accuracy`` where its
    input is handed on in its place (of a residual module, the shortcut remains), with the norms'
    statistics as before; ``recalibrated_accuracy``, with their statistics over all training
    digits without that module; ``whole_accuracy`` with all modules in place.
    """
    from .trainer import trainer

    trained = trainer(depth, network == "residual")
    trained.restart(seed)
    trained.train(epochs, RATE, seed)
    if part == "length":
        return _by_length(trained.model, seed)
    whole = trained.accuracies()["test_accuracy"]  # also sets the statistics of the norms
    deleted = _without_each(trained.model)
    return [
        {"module": module} | accuracies | {"whole_accuracy": whole}
        for module, accuracies in enumerate(deleted, start=1)
    ]


def backward(model, x, y):
    """The gradient of the loss at the end of the wire, and each module's way back.

    Args:
        model: a residual network that ``dissect`` can cut.
        x, y: a batch of images (B, H, W, 1) and labels (B,); the norms take its statistics.

    Returns:
        (B, H, W, C) the gradient, and a list with a function for each module, the last module
        first: from a gradient at the branch's output to that at its input.
    """
    from ..networks.dissect import dissect
    from ..runtime import keras, tf

    parts = dissect(model)
    h, ways = parts.stem(x, training=True), []
    for module in parts.modules:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(h)
            out = module.branch(h, training=True)
        ways.append(lambda g, tape=tape, out=out, h=h: tape.gradient(out, h, output_gradients=g))
        h = h + out
    with tf.GradientTape() as tape:
        tape.watch(h)
        losses = keras.losses.sparse_categorical_crossentropy(y, parts.head(h, training=True))
        loss = tf.reduce_mean(losses)
    return tape.gradient(loss, h), ways[::-1]


def split(gradient, ways):
    """The gradient at the first module's input by path length, exactly.

    A module hands a gradient g back as g + J'g, so what came through k branches by then is what
    came through k without this one, and through k - 1 with it.

    Args:
        gradient, ways: as ``backward`` returns them.

    Returns:
        A list, for lengths 0 to the number of modules, of arrays as large as the gradient.
    """
    parts = [gradient]
    for through in ways:
        turned = [through(part) for part in parts]
        both = [straight + turn for straight, turn in zip(parts[1:], turned, strict=False)]
        parts = [gradient, *both, turned[-1]]
    return parts


def along(gradient, ways, chosen):
    """What a single path brings: through the branches of the ``chosen`` modules only."""
    for place in sorted(chosen):
        gradient = ways[place](gradient)
    return gradient


def _by_length(model, seed):
    import numpy as np

    from ..data import load
    from ..gradients.norms import norm

    digits = load("digits")
    random = np.random.default_rng([seed, 4])
    batch = random.choice(len(digits.x_train), BATCH, replace=False)
    gradient, ways = backward(model, digits.x_train[batch], digits.y_train[batch])
    parts = split(gradient, ways)
    whole, rows = norm(sum(parts)), []
    for length, part in enumerate(parts):
        paths = [random.choice(len(ways), length, replace=False) for _ in range(SAMPLES)]
        alone = np.mean([norm(along(gradient, ways, path)) for path in paths])
        norms = {"log10_norm": _log10(norm(part)), "log10_path_norm": _log10(alone)}
        rows.append({"length": length, "share": norm(part) / whole} | norms)
    return rows


def _log10(norm):
    import numpy as np

    return float(np.log10(norm)) if norm > 0 else None


def _without_each(model):
    """For each module, the test accuracies without it: the norms left alone, and calibrated."""
    from ..data import load
    from ..networks.dissect import dissect

    digits = load("digits")
    parts = dissect(model)
    weights = model.get_weights()
    for place in range(len(parts.modules)):
        rest = parts.modules[:place] + parts.modules[place + 1 :]

        def answer(x, training, rest=rest):
            h = parts.stem(x, training=training)
            for module in rest:
                h = module.whole(h, training=training)
            return parts.head(h, training=training)

        def accuracy(answer=answer):
            right = answer(digits.x_test, False).numpy().argmax(axis=1) == digits.y_test
            return float(right.mean())

        model.set_weights(weights)
        as_before = accuracy()
        answer(digits.x_train, True)
        yield {"accuracy": as_before, "recalibrated_accuracy": accuracy()}


_LENGTH = product(part=("length",), network=("residual",), depth=(56,), epochs=(10, 0))
_DELETION = product(part=("deletion",), network=("residual", "plain"), depth=(20,), epochs=(20,))
_DEEP_DELETION = product(part=("deletion",), network=("residual",), depth=(56,), epochs=(10,))
STUDY = Study(
    name="paths",
    question="How long are the paths of the gradient, and what does one module matter?",
    grid=_LENGTH + _DEEP_DELETION + _DELETION,
    measure=measure,
)
