"""Random numbers as a function of a seed, the same on every backend.

They are those of TensorFlow's ``tf.random.stateless_*``, written in NumPy: a run that was begun
with these goes on as it began. Source: Salmon et al. 2011, *Parallel random numbers: as easy as 1,
2, 3* (Philox 4x32-10), and the way in which TensorFlow makes its key and counter of a seed.
"""

import numpy as np

Seed = tuple[int, int]  # 32-bit integers
MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)
WEYL = np.array([0x9E3779B9, 0xBB67AE85], np.uint32)
SCRAMBLER = np.array([0x3EC8F720, 0x02461E29], np.uint32)


def philox(counters: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Ten rounds of Philox: (n, 4) counters and a (2,) key, all uint32 -> (n, 4) random uint32."""
    counters = counters.copy()
    for _ in range(10):
        products = counters[:, ::2].astype(np.uint64) * MULTIPLIERS
        low, high = np.moveaxis(products.view(np.uint32).reshape(-1, 2, 2), -1, 0)
        odd = high[:, ::-1] ^ counters[:, 1::2] ^ key
        counters = np.stack([odd[:, 0], low[:, 1], odd[:, 1], low[:, 0]], axis=1)
        key = key + WEYL
    return counters


def bits(seed: Seed, size: int) -> np.ndarray:
    """(size,) random uint32."""
    words = np.array(seed, np.int64).view(np.uint32)  # low and high half of each
    mixed = philox(words[None], SCRAMBLER)[0]
    counters = np.zeros((-(-size // 4), 4), np.uint32)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 2:] = mixed[2:]
    return philox(counters, mixed[:2]).reshape(-1)[:size]


def split(seed: Seed) -> tuple[Seed, Seed]:
    """Two seeds of one."""
    first, of_first, second, of_second = bits(seed, 4).view(np.int32).tolist()
    return (first, of_first), (second, of_second)


def fold_in(seed: Seed, number: int) -> Seed:
    """The seed of a numbered part."""
    return int(bits(seed, 1).view(np.int32)[0]), number


def integers(seed: Seed, shape: tuple[int, ...], end: int) -> np.ndarray:
    """Integers from 0 to ``end - 1``, of this shape, as int32."""
    return (bits(seed, int(np.prod(shape))) % np.uint32(end)).astype(np.int32).reshape(shape)


def uniform(seed: Seed, size: int) -> np.ndarray:
    """(size,) float32 from 0 to below 1, multiples of 2^-23."""
    return (bits(seed, size) & np.uint32(0x7FFFFF)).astype(np.float32) * np.float32(2**-23)


def permutation(seed: Seed, size: int) -> np.ndarray:
    """The numbers from 0 to ``size - 1`` in random order (Fisher and Yates), as int32."""
    order, draws = list(range(size)), bits(seed, size).tolist()
    for at in range(size - 1):
        other = at + draws[at] % (size - at)
        order[at], order[other] = order[other], order[at]
    return np.array(order, np.int32)
