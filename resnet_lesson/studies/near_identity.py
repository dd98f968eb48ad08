"""Start near the identity: the size of a branch at initialisation, and what follows from it."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..checks import check_choice
from ..data import load
from .engine import Study, product
from .record import Row

# What replaces BN: options of ``without_bn``, by the number of modules. A module computes
VARIANTS: dict[str, Callable[[int], dict[str, Any]]] = {
    # h + F(h)
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
EPOCHS = (10, 20, 40)  # after which the accuracies are taken
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
CLIP = 1.0  # the norm, over all weights, to which a larger gradient is scaled down
BATCH = 128  # digits, for the measures at initialisation


def measure(
    part: str,
    variant: str,
    depth: int,
    learning_rate: float | None,
    clip: float | None,
    seed: int,
) -> list[Row]:
    """The rows of one part; ``variant`` is one of ``VARIANTS`` or ``batch_norm``.

    - ``growth``, at initialisation: ``log10_growth`` of the signal's root mean square from the
      stem's end to the last module's, and ``log10_gradient_ratio``, the decades by which the
      gradient of the loss is larger at the stem's end than at the last module's.
    - ``training``, by SGD, with the gradients clipped to the norm ``clip`` unless that is null:
      for each of EPOCHS, as ``epochs``, ``train_accuracy`` and ``test_accuracy``; ``diverged``
      where a weight is no longer a finite number: the accuracies are then null.
    - ``share``, at initialisation: for each ``module``, from 1, ``branch_share``, the variance of
      the branch over that of the sum, each over all entries of a batch (De and Smith 2020,
      arXiv 2002.10444: about 1 / module index).

    Settings that a part does not need are null.
    """
    if part == "growth":
        return _growth(variant, depth, seed)
    if part == "share":
        return _shares(depth, seed)
    assert learning_rate is not None
    return _training(variant, depth, learning_rate, clip, seed)


def build_without_bn(depth: int, variant: str) -> Any:
    """The Keras model of ``trainer.build_digits`` without BN layers, in one of ``VARIANTS``.

    Raises:
        ValueError: an unknown variant, or a depth that ``build_cifar`` refuses.
    """
    from ..networks.unnormalised import without_bn
    from .trainer import build_digits

    check_choice("variant", variant, VARIANTS)
    return without_bn(build_digits(depth, True), **VARIANTS[variant]((depth - 2) // 2))


def _growth(variant: str, depth: int, seed: int) -> list[Row]:
    from ..gradients.norms import norm
    from ..networks.dissect import module_names
    from ..runtime import keras, set_seed, tf

    set_seed(seed)
    model = build_without_bn(depth, variant)
    names = ("stem_conv", f"{module_names(model)[-1]}_add", "classifier")
    layers = keras.Model(model.input, [model.get_layer(name).output for name in names])
    x, y = _digits(seed)
    with tf.GradientTape() as tape:
        start, end, logits = layers(x)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
    gradients = tape.gradient(loss, [start, end])
    pairs = {"log10_growth": (end, start), "log10_gradient_ratio": gradients}
    return [{name: float(np.log10(norm(a)) - np.log10(norm(b))) for name, (a, b) in pairs.items()}]


def _training(
    variant: str, depth: int, learning_rate: float, clip: float | None, seed: int
) -> list[Row]:
    from .trainer import start

    if variant == "batch_norm":
        trainer = start(seed, depth, True, clip=clip)
    else:
        trainer = start(seed, depth, variant, build=build_without_bn, clip=clip)
    rows: list[Row] = []
    epochs = itertools.islice(trainer.epochs(learning_rate, warmup=0, seed=seed), EPOCHS[-1])
    for epoch, _ in enumerate(epochs, start=1):
        if not all(np.isfinite(weight).all() for weight in trainer.model.get_weights()):
            # And so it stays: further epochs change nothing.
            unknown = {"train_accuracy": None, "test_accuracy": None, "diverged": True}
            return rows + [{"epochs": later} | unknown for later in EPOCHS if later >= epoch]
        if epoch in EPOCHS:
            rows.append({"epochs": epoch} | trainer.accuracies() | {"diverged": False})
    return rows


def _shares(depth: int, seed: int) -> list[Row]:
    from ..networks.dissect import branch_shares
    from .trainer import build_fused

    shares = branch_shares(build_fused(depth, True, seed=seed), _digits(seed)[0])
    return [
        {"module": module, "branch_share": share} for module, share in enumerate(shares, start=1)
    ]


def _digits(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(BATCH, 8, 8, 1) digits, and their labels."""
    digits = load("digits")
    chosen = np.random.default_rng([seed, 1]).choice(len(digits.x_train), BATCH, replace=False)
    return digits.x_train[chosen], digits.y_train[chosen]


STUDY = Study(
    name="near_identity",
    question="What does a residual network gain from branches that start small?",
    grid=product(
        part=("training",),
        variant=tuple(VARIANTS),
        depth=(56,),
        learning_rate=RATES,
        clip=(None, CLIP),
    )
    + product(
        part=("training",),
        variant=("batch_norm",),
        depth=(56,),
        learning_rate=RATES,
        clip=(None,),
    )
    + product(
        part=("growth",),
        variant=tuple(VARIANTS),
        depth=(20, 56, 110),
        learning_rate=(None,),
        clip=(None,),
    )
    + product(
        part=("share",),
        variant=("batch_norm",),
        depth=(20, 56, 110),
        learning_rate=(None,),
        clip=(None,),
    ),
    measure=measure,
)
