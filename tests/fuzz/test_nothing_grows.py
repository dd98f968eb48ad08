"""What is done often leaves nothing behind: no widget, thread, figure, file or memory."""

import gc
import threading
import tracemalloc

import comm
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import psutil
import pytest
import size
import subjects

from resnet_lesson import GradientExplorer, GradientMonitor, TrainingPanel
from resnet_lesson.gradients.history import HEAD, MEASURES
from resnet_lesson.runtime import keras
from resnet_lesson.widgets.frontend import LessonWidget

pytestmark = pytest.mark.slow
PROCESS = psutil.Process()


def left():
    """What of this process is counted."""
    gc.collect()
    objects = gc.get_objects()
    return {
        "widgets": len(ipywidgets.widgets.widget._instances),
        "comms": len(comm.get_comm_manager().comms),
        "targets": len(comm.get_comm_manager().targets),
        "objects": sum(isinstance(one, (LessonWidget, ipywidgets.Layout)) for one in objects),
        "threads": threading.active_count(),
        "figures": len(plt.get_fignums()),
        "files": PROCESS.num_fds(),
    }


def growth(act, count):
    """Bytes of the process that stay of each act, and how sure that is: a line through the second
    half of ``count`` acts, and its standard error.

    The first half fills caches and the allocator's free lists.
    """
    half = count // 2
    done = np.unique(np.linspace(0, half - 1, 20).astype(int))
    for _ in range(half):
        act()
    used = []
    for at in range(half):
        if at in done:
            gc.collect()
            used.append(PROCESS.memory_info().rss)
        act()
    (slope, _), covariance = np.polyfit(done, used, 1, cov=True)
    return slope, covariance[0, 0] ** 0.5


def weight(make):
    """Bytes of what ``make`` returns, as Python counts them."""
    gc.collect()
    tracemalloc.start()
    try:
        made = make()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], made
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", subjects.KINDS)
def test_widgets_that_are_closed_are_gone(kind):
    def live():
        widget = subjects.make(kind)
        widget._repr_mimebundle_()
        return widget

    live().close()
    each, one = weight(lambda: subjects.make(kind))
    one.close()
    del one
    before, count = left(), size.times(200)
    if size.LARGE:
        grown, error = growth(lambda: live().close(), count)
        print(f"{kind}: {grown:,.0f} ± {error:,.0f} bytes of each, which has {each:,.0f}")
        assert grown < each / 10
    else:
        for _ in range(count):
            live().close()
    assert left() == before


def test_an_explorer_whose_depth_changes_keeps_nothing():
    explorer = GradientExplorer(activation="relu")
    explorer._use_engine(explorer._load_engine())
    depths = np.random.default_rng(0).permutation(np.arange(1, 201))
    turn = iter(int(depth) for _ in range(100) for depth in depths)

    def act():
        explorer.depth = next(turn)

    act()
    before = left()
    if size.LARGE:
        grown, error = growth(act, 2000)
        print(f"depth: {grown:,.0f} ± {error:,.0f} bytes of each")
    else:
        for _ in range(size.times(2000)):
            act()
    assert left() == before
    explorer.close()


def network():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    return model, random.standard_normal((48, 6)), random.integers(0, 3, 48)


def fit(**more):
    model, x, y = network()
    model.fit(x, y, batch_size=8, epochs=1, verbose=0, **more)


def test_fits_leave_no_more_than_kerass_own():
    panel = TrainingPanel({"one": network, "two": network}, batch_size=8)
    ways = {
        "plain": fit,
        "monitor": lambda: fit(callbacks=[GradientMonitor()]),
        "panel": panel.run,
    }
    for act in ways.values():
        act()
    before = left()
    for name, act in ways.items():
        if size.LARGE:
            grown, error = growth(act, 60)
            print(f"{name}: {grown:,.0f} ± {error:,.0f} bytes of each fit")
        else:
            for _ in range(size.times(60)):
                act()
    assert left() == before
    panel.close()


def test_a_monitor_keeps_the_records_that_it_promises_and_nothing_else():
    steps = size.times(100_000) // 100 * 100
    model, x, y = network()
    model.compile(
        keras.optimizers.SGD(1e-3), "sparse_categorical_crossentropy", steps_per_execution=50
    )
    import tensorflow as tf

    data = (
        tf.data.Dataset.from_tensor_slices((x[:8].astype("float32"), y[:8]))
        .batch(8)
        .cache()
        .repeat()
    )
    for forget in (False, True):
        monitor = GradientMonitor()
        epoch = steps // 50

        def act():
            model.fit(data, steps_per_epoch=epoch, epochs=1, verbose=0, callbacks=[monitor])
            if forget:
                monitor.drain()

        grown, error = growth(act, 100)
        promised = 0 if forget else epoch * 8 * (HEAD + len(MEASURES) * 2)
        print(
            f"monitor forget={forget}: {grown:,.0f} ± {error:,.0f} bytes of each {epoch} steps, {promised:,} promised"
        )
