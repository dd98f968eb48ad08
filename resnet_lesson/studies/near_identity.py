"""Start near the identity: what a branch weighs at initialisation, and what comes of it."""

import numpy as np

from ..checks import check_choice
from .engine import Study, product

# What stands in for norms, as options of ``without_bn`` for so many modules. Of h and F(h):
VARIANTS = {
    "sum": lambda modules: {},
    # h + F(h) / sqrt(modules)
    "root_of_depth": lambda modules: {"scale": 1 / np.sqrt(modules)},
    # h + s F(h), with s trained from 0 (SkipInit, De and Smith 2020, arXiv 2002.10444; ReZero,
    # Bachlechner et al. 2020, arXiv 2003.04887)
    "scalar_zero": lambda modules: {"scale": 0.0, "trained_scale": True},
    # h + F(h), the second convolution of F trained from 0 (Fixup, Zhang et al. 2019, arXiv
    # 1901.09321, without its biases, multipliers and scaled first convolutions)
    "last_zero": lambda modules: {"last_zero": True},
}
EPOCHS = (10, 20)  # after which the accuracies are taken
BATCH = 128  # digits, for what is measured at initialisation


def measure(part, variant, depth, learning_rate, seed):
    """The lines of one part; ``variant`` is one of ``VARIANTS`` or ``batch_norm``.

    - ``growth``, at initialisation: ``log10_growth`` of the signal's root mean square from the
      stem's end to the last module's, and ``log10_gradient_ratio``, the decades by which the
      gradient of the loss is larger at the stem's end than at the last module's.
    - ``training``, by SGD: for each of EPOCHS, as ``epochs``, ``train_accuracy`` and
      ``test_accuracy``; ``diverged`` where a weight is no longer a finite number: the accuracies
      are then null.
    - ``share``, at initialisation: for each ``module``, from 1, ``branch_share``, the variance of
      the branch over that of the sum, each over all entries of a batch (De and Smith 2020,
      arXiv 2002.10444: about 1 / module index).

    Settings that a part does not need are null.
    """
    if part == "training":
        return _training(variant, depth, learning_rate, seed)
    return _growth(variant, depth, seed) if part == "growth" else _share(depth, seed)


def build_without_norms(depth, variant):
    """The network of ``trainer`` without its norms, in one of ``VARIANTS``.

    Raises:
        ValueError: an unknown variant, or a depth that ``build_cifar`` refuses.
    """
    from ..networks.unnormalised import without_bn
    from .trainer import ordinary

    check_choice("variant", variant, VARIANTS)
    return without_bn(ordinary(depth, True), **VARIANTS[variant]((depth - 2) // 2))


def _growth(variant, depth, seed):
    from ..runtime import keras, set_seed, tf

    set_seed(seed)
    model = build_without_norms(depth, variant)
    sums = [layer.output for layer in model.layers if layer.name.endswith("add")]
    stem, logits = (model.get_layer(name).output for name in ("stem_conv", "classifier"))
    x, y = _digits(seed)
    with tf.GradientTape() as tape:
        start, end, answers = keras.Model(model.input, [stem, sums[-1], logits])(x)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, answers)
    gradients = tape.gradient(loss, [start, end])
    return [
        {
            "log10_growth": _decades(end, start),
            "log10_gradient_ratio": _decades(*gradients),
        }
    ]


def _decades(tensor, other):
    """log10 of the norm of one over that of the other."""
    from ..gradients.norms import norm

    return float(np.log10(norm(tensor)) - np.log10(norm(other)))


def _training(variant, depth, learning_rate, seed):
    from .trainer import trainer

    if variant == "batch_norm":
        network = trainer(depth, True)
    else:
        network = trainer(depth, variant, build=build_without_norms)
    network.restart(seed)
    rows = []
    epochs = network.epochs(learning_rate, warmup=0, seed=seed)
    for epoch, _ in zip(range(1, EPOCHS[-1] + 1), epochs, strict=False):
        if epoch not in EPOCHS:
            continue
        outcome = _outcome(network)
        if outcome["diverged"]:  # for good
            return rows + [{"epochs": e} | outcome for e in EPOCHS if e >= epoch]
        rows.append({"epochs": epoch} | outcome)
    return rows


def _outcome(network):
    diverged = not all(np.isfinite(weight).all() for weight in network.model.get_weights())
    unknown = {"train_accuracy": None, "test_accuracy": None}
    return (unknown if diverged else network.accuracies()) | {"diverged": diverged}


def _share(depth, seed):
    from .trainer import make

    shares = branch_shares(make(depth, True, seed=seed), _digits(seed)[0])
    return [
        {"module": module, "branch_share": share} for module, share in enumerate(shares, start=1)
    ]


def branch_shares(model, x):
    """By module, the variance of its branch over that of its sum, on one batch in training."""
    from ..runtime import keras

    sums = [layer for layer in model.layers if layer.name.endswith("add")]
    pairs = [[layer.input[0], layer.output] for layer in sums]  # the branch comes first
    values = keras.Model(model.input, pairs)(x, training=True)
    return [float(np.var(branch) / np.var(total)) for branch, total in values]


def _digits(seed):
    """(BATCH, 8, 8, 1) digits, and their labels."""
    from ..data import load

    digits = load("digits")
    chosen = np.random.default_rng([seed, 1]).choice(len(digits.x_train), BATCH, replace=False)
    return digits.x_train[chosen], digits.y_train[chosen]


STUDY = Study(
    name="near_identity",
    question="What does a residual network gain from branches that start small?",
    grid=product(
        part=("training",),
        variant=(*VARIANTS, "batch_norm"),
        depth=(56,),
        learning_rate=(0.03, 0.1),
    )
    + product(part=("growth",), variant=tuple(VARIANTS), depth=(20, 56, 110), learning_rate=(None,))
    + product(part=("share",), variant=("batch_norm",), depth=(20, 56, 110), learning_rate=(None,)),
    measure=measure,
)
