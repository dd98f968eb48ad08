"""The training panel: what it keeps, and that start, pause and stop act."""

import base64
import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import traitlets

from resnet_lesson import TrainingPanel
from resnet_lesson.gradients import history, monitor
from resnet_lesson.gradients.history import MEASURES
from resnet_lesson.runtime import keras, set_seed
from resnet_lesson.widgets.panel import recording
from resnet_lesson.widgets.panel.recording import (
    COLUMNS,
    INFINITE,
    NAN,
    OPENING,
    ZERO,
    Recording,
    Strip,
)

HERE = Path(__file__).parent
BATCH, STEPS = 8, 6  # an epoch
DEADLINE = 120  # seconds until a training that hangs fails its test


def network(**how):
    """A maker of a tiny network on random data."""

    def make():
        set_seed(0)
        random = np.random.default_rng(0)
        x = random.standard_normal((BATCH * STEPS, 6)).astype("float32")
        y = random.integers(0, 3, BATCH * STEPS)
        model = keras.Sequential(
            [
                keras.Input((6,)),
                keras.layers.Dense(5, activation="relu", name="first"),
                keras.layers.Dense(3, activation="softmax", name="last"),
            ]
        )
        optimizer = keras.optimizers.SGD(0.1)
        loss = "sparse_categorical_crossentropy"
        model.compile(optimizer, loss, **({"metrics": ["accuracy"]} | how))
        return model, x, y

    return make


def panel_of(*names, epochs=2, **how):
    return TrainingPanel(
        {name: network() for name in names}, epochs=epochs, batch_size=BATCH, **how
    )


def until(true, what):
    """Wait for another thread."""
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, f"still waiting for {what}"
        time.sleep(0.005)


def steps(panel):
    return [run["steps"] for run in panel.record()["runs"]]


class Frames(list):
    """Every message that a panel sends to its browser."""

    def __init__(self, panel):
        super().__init__()
        panel.send = lambda content, buffers=None: self.append(json.loads(json.dumps(content)))


# ---------------------------------------------------------------- what is kept


def test_codes_hold_norms_to_a_hundredth_of_a_decade():
    norms = np.array([0, 1e-300, 3e-7, 1, 12345.6, np.inf, np.nan])
    back = recording.decode(recording.encode(norms))
    shown = slice(1, 5)
    np.testing.assert_allclose(np.log10(back[shown]), np.log10(norms[shown]), atol=0.0051)
    assert (back[0], back[5]) == (0, np.inf)
    assert np.isnan(back[6])
    assert recording.MEASURES == history.MEASURES


def test_of_two_columns_the_larger_is_kept_and_the_later_loss():
    strip = Strip(4, 1)
    for value in (5, ZERO, ZERO, ZERO, NAN, 7, NAN, INFINITE):
        strip.add(np.full((3, 1), value, np.int16), (value, strip.steps))
    assert (strip.stride, strip.columns) == (2, 4)
    assert strip.codes[:, 0, 0].tolist() == [5, ZERO, NAN, INFINITE]
    part = strip.to_json(1)
    assert part["accuracy"] == [3, 5, 7]
    assert part["from"] == 1
    strip.add(np.zeros((3, 1), np.int16), (np.nan, np.inf))
    assert (strip.stride, strip.to_json()["loss"][-1], strip.to_json()["accuracy"][-1]) == (
        4,
        None,
        None,
    )


@pytest.mark.parametrize("count", [1, COLUMNS, COLUMNS + 1, 5 * COLUMNS + 3])
def test_every_step_is_in_the_column_that_the_stride_says(count):
    strip = Strip(COLUMNS, 1)
    for step in range(count):
        strip.add(np.full((3, 1), step, np.int16), (step, 0))
    ends = [min(count, (column + 1) * strip.stride) - 1 for column in range(strip.columns)]
    assert strip.codes[: strip.columns, 0, 0].tolist() == ends
    assert strip.logs[: strip.columns, 0].tolist() == ends
    assert strip.columns <= COLUMNS


def test_a_hundred_thousand_steps_take_no_more_than_a_hundred():
    kept = Recording("long", [f"layer{number}" for number in range(20)], total=100_000)
    norms, sizes = np.full((3, 20), 1e-3), {}
    spike, broken = 54_321, 76_543
    for step in range(100_000):
        now = norms
        if step in (spike, broken):
            now = norms.copy()
            now[0, 7] = 1e9 if step == spike else np.nan
        kept.add(step, now, (2.0, 0.1))
        if step + 1 in (100, 1_000, 10_000, 100_000):
            arrays = (kept.whole.codes, kept.whole.logs, kept.opening.codes, kept.opening.logs)
            sizes[step + 1] = sum(array.nbytes for array in arrays), len(json.dumps(kept.to_json()))
    assert len({size for size, _ in sizes.values()}) == 1
    assert sizes[100_000][1] < 1.3 * sizes[100][1]
    codes = kept.whole.codes[: kept.whole.columns, 0, 7]
    assert codes[spike // kept.whole.stride] == 900
    assert codes[broken // kept.whole.stride] == NAN
    assert kept.opening.columns == OPENING


# ---------------------------------------------------------------- training


@pytest.mark.slow
def test_run_records_what_the_monitor_records():
    panel = panel_of("one", epochs=4)
    assert panel.run() is None
    assert panel.state == "finished"
    (run,) = panel.runs
    model, x, y = network()()
    alone = monitor.GradientMonitor()
    history = model.fit(x, y, BATCH, 4, verbose=0, callbacks=[alone]).history
    codes = recording.strip_codes(run)
    for at, measure in enumerate(recording.MEASURES):
        np.testing.assert_array_equal(codes[:, at], recording.encode(alone.records[measure]))
    np.testing.assert_array_equal(recording.strip_codes(run, "opening"), codes[:OPENING])
    np.testing.assert_allclose(run["whole"]["loss"][STEPS - 1 :: STEPS], history["loss"], rtol=1e-3)
    ends = run["whole"]["accuracy"][STEPS - 1 :: STEPS]
    np.testing.assert_allclose(ends, history["accuracy"], rtol=1e-3)
    assert (run["steps"], run["total"], run["metric"]) == (4 * STEPS, 4 * STEPS, "accuracy")
    assert run["layers"] == ["first", "last"]


@pytest.mark.slow
def test_two_networks_go_forward_in_step_and_as_each_would_alone():
    panel, order = panel_of("left", "right"), []
    frames = Frames(panel)
    panel.run()
    for frame in frames:
        order.append([run["steps"] for run in frame["runs"]])
    assert all(len(one) < 2 or abs(one[0] - one[1]) <= 1 for one in order)
    left, right = panel.runs
    assert left["whole"] == right["whole"], "one seed, one training"
    alone = panel_of("left")
    alone.run()
    assert alone.runs[0]["whole"] == left["whole"]


@pytest.mark.slow
def test_messages_alone_rebuild_the_recording(monkeypatch):
    from resnet_lesson.widgets.panel import job

    monkeypatch.setattr(job, "REDRAW", 0)
    panel = panel_of("left", "right", epochs=2 * COLUMNS // STEPS + 5)
    frames, codes = Frames(panel), {}
    panel.run()
    for frame in frames[:-1]:
        for run in frame["runs"]:
            part = run["whole"]
            fresh = recording.strip_codes(run)
            codes[run["name"]] = [*codes.get(run["name"], [])[: part["from"]], *fresh]
    for run in panel.runs:
        # The very last step is in the last message, which has all.
        whole = recording.strip_codes(run)
        got = np.array(codes[run["name"]])
        np.testing.assert_array_equal(got[: len(whole) - 1], whole[: len(got)][: len(whole) - 1])
    sizes = sorted(len(json.dumps(frame)) for frame in frames)
    assert sizes[len(sizes) // 2] < 6_000


@pytest.mark.slow
def test_stop_ends_within_two_steps_and_a_start_after_it_is_fresh():
    panel = panel_of("left", "right", epochs=10_000)
    panel.start()
    for other in (panel.start, panel.run):
        with pytest.raises(RuntimeError, match="a training is under way"):
            other()
    until(lambda: min(steps(panel)[1:], default=0) > 3, "steps")
    seen = steps(panel)
    before = [callback._steps for callback in panel._job.callbacks.values()]
    panel.stop()
    panel.wait(DEADLINE)
    assert panel.state == "stopped"
    assert all(after >= now for after, now in zip(steps(panel), seen, strict=True))
    # Read just before the stop, while both went on.
    assert all(a - b <= 3 for a, b in zip(steps(panel), before, strict=True))
    assert not [one for one in threading.enumerate() if one.name.startswith("fit ")]
    panel._arguments["epochs"] = 1
    panel.run()
    assert steps(panel) == [STEPS, STEPS]
    assert panel.state == "finished"


def test_stop_in_a_pause_takes_one_step_at_most():
    panel = panel_of("one", epochs=10_000)
    panel.start()
    until(lambda: panel.state == "training", "a step")
    panel.pause()
    before = held(panel)[0]
    panel.stop()
    panel.wait(DEADLINE)
    assert before <= steps(panel)[0] <= before + 1


def held(panel):
    """The steps taken, once it is paused."""
    until(lambda: panel.state == "paused", "the pause")
    return steps(panel)


@pytest.mark.slow
def test_pause_holds_both_and_resume_goes_on():
    panel = panel_of("left", "right", epochs=10_000)
    frames = Frames(panel)
    panel.start()
    until(lambda: len(steps(panel)) == 2, "a step of both")
    panel.pause()
    before = held(panel)
    time.sleep(0.3)
    taken = [callback._steps for callback in panel._job.callbacks.values()]
    # The last redraw shows all that was done.
    assert [run["steps"] for run in frames[-1]["runs"]] == before == taken
    assert abs(before[0] - before[1]) <= 1
    panel.resume()
    until(lambda: steps(panel)[0] > before[0] + 3, "more steps")
    panel.stop()
    panel.wait(DEADLINE)


@pytest.mark.parametrize("every", [1, 4])
def test_a_dict_of_arguments_reaches_fit(every):
    ended, made = [], network()

    class Ends(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ended.append(sorted(logs))

    def make():
        model, x, y = made()
        return model, {"x": x, "y": y, "validation_data": (x, y), "callbacks": [Ends()]}

    panel = TrainingPanel({"one": make}, epochs=3, batch_size=BATCH, every=every)
    panel.run()
    assert ended == [["accuracy", "loss", "val_accuracy", "val_loss"]] * 3
    assert len(recording.strip_codes(panel.runs[0])) == -(-3 * STEPS // every)
    assert panel.runs[0]["steps"] == 3 * STEPS


@pytest.mark.parametrize("size", [3, 4])
def test_several_steps_in_one_execution_are_counted(size):
    panel = TrainingPanel({"one": network(steps_per_execution=size)}, epochs=2, batch_size=BATCH)
    panel.run()
    (run,) = panel.runs
    assert run["steps"] == run["total"] == len(recording.strip_codes(run)) == 2 * STEPS
    # Keras tells the loss of each execution; the last one of an epoch may be a part of one.
    starts = [start for epoch in (0, STEPS) for start in range(epoch, epoch + STEPS, size)]
    losses = run["whole"]["loss"]
    for start, end in itertools.pairwise([*starts, 2 * STEPS]):
        assert len(set(losses[start:end])) == 1
    assert len(set(losses)) == len(starts)


@pytest.mark.slow
def test_layers_that_change_while_it_trains_are_refused():
    class Freezes(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.get_layer("first").trainable = False
                self.model.compile("sgd", "sparse_categorical_crossentropy")
                self.model.make_train_function()

    def make():
        model, x, y = network()()
        return model, {"x": x, "y": y, "callbacks": Freezes()}

    panel = TrainingPanel({"one": make}, epochs=2, batch_size=BATCH)
    with pytest.raises(ValueError, match="the layers of 'one' must stay the same while it trains"):
        panel.run()
    assert panel.runs[0]["steps"] >= 1


def test_one_model_is_not_two_networks():
    made = network()()
    panel = TrainingPanel({"one": lambda: made, "other": lambda: made}, batch_size=BATCH)
    with pytest.raises(ValueError, match="must be two models, received one, again for 'other'"):
        panel.run()


def test_no_metric_is_none():
    panel = TrainingPanel({"one": network(metrics=None)}, batch_size=BATCH)
    panel.run()
    assert panel.runs[0]["metric"] is None
    assert set(panel.runs[0]["whole"]["accuracy"]) == {None}


def test_nan_is_named_with_layer_and_step():
    made = network()

    def make():
        model, x, y = made()
        x[3 * BATCH] = np.nan
        return model, {"x": x, "y": y, "shuffle": False}

    panel = TrainingPanel({"one": make}, batch_size=BATCH)
    panel.run()
    # Its ReLU makes zeros of NaN, so that the loss is finite.
    bad = {"layer": "first", "step": 3, "what": "NaN", "where": "gradient"}
    assert panel.runs[0]["bad"] == bad


def broken():
    made = network()

    class Breaks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise OSError("the disk is full")

    def make():
        model, x, y = made()
        return model, {"x": x, "y": y, "callbacks": [Breaks()]}

    return make


def test_an_error_is_shown_ends_both_and_leaves_what_was_recorded():
    makers = {"left": network(), "right": broken()}
    panel = TrainingPanel(makers, epochs=10_000, batch_size=BATCH)
    frames = Frames(panel)
    with pytest.raises(OSError, match="the disk is full"):
        panel.run()
    assert panel.state == "failed"
    assert frames[-1]["state"] == "failed"
    assert frames[-1]["error"] == "OSError: the disk is full"
    assert not [one for one in threading.enumerate() if one.name.startswith("fit ")]
    assert [run["name"] for run in panel.runs] == ["left", "right"]
    panel._makers = {"left": network()}
    panel._arguments["epochs"] = 1
    panel.run()
    assert panel.state == "finished"


@pytest.mark.parametrize("made", [None, 3, (1, 2), ("model", 1, 2)])
def test_a_maker_that_makes_something_else_is_named(made):
    with pytest.raises(ValueError, match="'one' must return a compiled model, x and y"):
        TrainingPanel({"one": lambda: made}).run()


def test_an_interrupt_stops_a_run(monkeypatch):
    panel = panel_of("one", epochs=10_000)

    def interrupted(timeout=None):
        until(lambda: panel.state == "training", "a step")
        raise KeyboardInterrupt

    monkeypatch.setattr(panel, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        panel.run()
    assert panel.state == "stopped"


@pytest.mark.slow
def test_an_interpreter_that_ends_in_mid_training_ends_well():
    code = """
import time
from test_panel import panel_of
panel = panel_of("left", "right", epochs=10_000)
panel.start()
while panel.state != "training":
    time.sleep(0.01)
print("bye")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, timeout=DEADLINE
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "bye\n", "")


def test_waiting_gives_up_after_its_time():
    panel = panel_of("one", epochs=10_000)
    panel.wait()  # for nothing
    panel.start()
    with pytest.raises(TimeoutError, match=r"goes on after 0\.01 seconds"):
        panel.wait(0.01)
    panel.stop()
    panel.wait(DEADLINE)


# ---------------------------------------------------------------- the browser's commands


def test_the_browsers_commands_act_and_late_ones_do_not():
    panel = panel_of("one", epochs=10_000)
    frames = Frames(panel)
    for late in ("pause", "resume", "stop", "dance"):
        panel._on_message(panel, late, [])
    assert panel.state == "ready"
    assert frames == []
    panel._on_message(panel, "hello", [])
    assert frames[-1]["state"] == "ready"
    for _ in range(2):  # pressed twice, started once
        panel._on_message(panel, "start", [])
    until(lambda: panel.state == "training", "a step")
    panel._on_message(panel, "pause", [])
    held(panel)
    until(lambda: frames[-1]["state"] == "paused", "its last redraw")
    panel._on_message(panel, "resume", [])
    until(lambda: frames[-1]["left"], "an estimate")
    panel._on_message(panel, "stop", [])
    panel.wait(DEADLINE)
    assert frames[-1]["state"] == "stopped"
    assert {frame["training"] for frame in frames[1:]} == {1}
    panel._on_message(panel, "hello", [])
    assert frames[-1]["runs"] == panel.runs


def test_a_second_start_drops_a_run_only_where_that_was_asked_for():
    panel = panel_of("one", epochs=1)
    frames = Frames(panel)
    panel._on_message(panel, "start", [])
    panel.wait(DEADLINE)
    first = panel.runs
    panel._on_message(panel, "start", [])  # of a view that has not heard of the run
    panel.wait(DEADLINE)
    assert (frames[-1]["state"], frames[-1]["training"]) == ("finished", 1)
    assert panel.runs == first == frames[-1]["runs"]
    panel._on_message(panel, "start again", [])
    panel.wait(DEADLINE)
    assert frames[-1]["training"] == 2


def test_finish_trains_what_nobody_has():
    panel = panel_of("one", epochs=2)
    panel.finish()
    assert (panel.state, steps(panel)) == ("finished", [2 * STEPS])
    trained = panel.runs
    panel.finish()
    assert panel.runs == trained


def test_finish_ends_a_pause_and_not_a_training_that_was_stopped():
    panel = panel_of("one", epochs=30)
    panel.start()
    until(lambda: panel.state == "training", "a step")
    panel.pause()
    held(panel)
    panel.finish()
    assert steps(panel) == [30 * STEPS]
    panel = panel_of("one", epochs=10_000)
    panel.start()
    until(lambda: panel.state == "training", "a step")
    panel.stop()
    panel.wait(DEADLINE)
    with pytest.raises(RuntimeError, match="stopped before its end: press Start again"):
        panel.finish()


def test_it_builds_until_each_network_has_taken_a_step():
    go, made = threading.Event(), network()

    def later():
        assert go.wait(DEADLINE)
        return made()

    panel = TrainingPanel({"left": network(), "right": later}, epochs=1, batch_size=BATCH)
    frames = Frames(panel)
    panel.start()
    until(lambda: steps(panel), "a step of the first")
    assert panel.state == "building"
    go.set()
    panel.wait(DEADLINE)
    assert [len(frame["runs"]) for frame in frames][-1] == 2


# ---------------------------------------------------------------- traits


def states(panel):
    """All that a front end has, as JSON."""
    return json.dumps(panel.get_state(), sort_keys=True, default=str)


@pytest.mark.parametrize("make", [TrainingPanel.replay, lambda: panel_of("caf\u00e9", "other")])
def test_a_state_that_comes_back_changes_nothing(make):
    panel = make()
    before = states(panel)
    panel.set_state(json.loads(json.dumps(panel.get_state())))
    assert states(panel) == before


@pytest.mark.parametrize(
    "state",
    [
        {"runs": []},
        {"runs": None},
        {"networks": ["mine"]},
        {"scale": {}},
        {"_esm": "export default {}"},
        {"quantity": "weight_norm", "runs": []},
        {"zoom": True, "quantity": "speed"},
        {"quantity": "gradient_norm\ud83d"},
        {"quantity": ["gradient_norm"]},
        {"quantity": 3},
        {"quantity": None},
        {"zoom": np.nan},
        {"zoom": 2},
        {"zoom": [True]},
        {"zoom": "yes"},
        {"zoom": None},
    ],
)
def test_a_front_end_sets_what_is_the_readers_and_nothing_else(state):
    panel = TrainingPanel.replay()
    before = states(panel)
    with pytest.raises(traitlets.TraitError):
        panel.set_state(state)
    assert states(panel) == before
    panel.set_state({"quantity": "weight_norm", "zoom": True, "unknown": 1})
    assert (panel.quantity, panel.zoom) == ("weight_norm", True)


def test_whatever_a_trait_is_given_the_state_is_what_it_was_or_comes_back():
    random, panel = np.random.default_rng(0), TrainingPanel.replay()
    (run, _), taken = panel.runs, 0
    odd = [
        None,
        True,
        -1,
        0,
        2.5,
        1e308,
        np.nan,
        np.inf,
        "",
        "a\ud800",
        [],
        [np.nan],
        {},
        MEASURES[1],
    ]
    for _ in range(300):
        name = random.choice(["quantity", "zoom", "runs"])
        value = odd[random.integers(len(odd))]
        if name == "runs":  # one entry of a run, or of its columns
            strip = random.choice(["whole", "opening", ""])
            held = run[strip] if strip else run
            changed = held | {random.choice(list(held)): value}
            value = [run | {strip: changed} if strip else changed]
        before = states(panel)
        try:
            setattr(panel, name, value)
        except traitlets.TraitError as error:
            str(error).encode()  # can be shown
            assert states(panel) == before
            continue
        taken += 1
        after = states(panel)
        json.loads(after, parse_constant=pytest.fail)  # no NaN, which browsers do not read
        panel.set_state(json.loads(json.dumps(panel.get_state())))
        assert states(panel) == after
    assert taken > 5


def test_what_is_the_kernels_is_not_set_from_a_cell():
    panel = TrainingPanel.replay()
    for name, value in (("networks", ["x"]), ("scale", {})):
        with pytest.raises(traitlets.TraitError, match=f'"{name}" trait is read-only'):
            setattr(panel, name, value)


# ---------------------------------------------------------------- records and replay


def test_replay_of_a_record_is_the_record(tmp_path):
    panel = panel_of("left", "right")
    with pytest.raises(RuntimeError, match="at least 1 step, received 0"):
        panel.save(tmp_path / "run.json")
    panel.run()
    record = panel.record()
    assert {"file", "date", "keras", "tensorflow", "device"} < set(record)
    panel.save(tmp_path / "run.json")
    for source in (record, tmp_path / "run.json", str(tmp_path / "run.json")):
        played = TrainingPanel.replay(source, quantity="update_ratio", zoom=True)
        assert played.record() == record
        assert played.runs == panel.runs
        assert (played.quantity, played.zoom, played.networks) == ("update_ratio", True, [])
    with pytest.raises(RuntimeError, match="nothing to train"):
        played.start()
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_the_recorded_training_shows_three_acts():
    panel = TrainingPanel.replay()
    record, (plain, residual) = panel.record(), panel.runs
    assert {"seed", "command", "date", "tensorflow", "keras", "device"} < set(record)
    assert record["file"] == recording.FILE
    first = recording.decode(recording.strip_codes(plain, "opening"))
    gradient, weights, _ = first[0]
    assert gradient[0] > 100 * gradient[-2], "it explodes toward the input"
    assert first[1, 1, 0] > 5 * weights[0], "one huge step"
    last = recording.decode(recording.strip_codes(plain))[-10:, 2]
    assert (last.max(axis=0) < 1e-5).sum() >= 10, "frozen layers"
    healthy = recording.decode(recording.strip_codes(residual))[:, 2]
    assert healthy.min() > 1e-5
    assert residual["whole"]["accuracy"][-1] > 0.9 > 0.2 > plain["whole"]["accuracy"][-1]


RECORD = TrainingPanel.replay().record()


def changed(**changes):
    return RECORD | {"runs": [RECORD["runs"][0] | changes]}


def changed_strip(name, **changes):
    return changed(**{name: RECORD["runs"][0][name] | changes})


BAD = {"layer": "a", "step": 1, "what": "NaN", "where": "gradient"}
COUNT = "a whole number of at least 1"
COLUMNS_OF = "must hold 1 to 120 columns of codes, loss and accuracy for"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({}, "it has no 'file'"),
        (RECORD | {"file": "other"}, "it must say 'resnet-lesson training', received 'other'"),
        (RECORD | {"runs": []}, "must hold 1 or 2 runs, received 0"),
        (RECORD | {"runs": [{}]}, "it has no 'name'"),
        (RECORD | {"runs": [3]}, "a run must be a dict, received 3"),
        (RECORD | {"runs": RECORD["runs"] * 2}, "must hold a list of 1 or 2 runs, received"),
        (RECORD | {"runs": {"a": 1, "b": 2}}, "must hold a list of 1 or 2 runs, received {'a'"),
        (changed(layers=["a"]), f"whole {COLUMNS_OF} 1 layers, received"),
        (
            changed_strip("opening", loss=[]),
            "opening must hold 1 to 20 columns of codes, loss and acc",
        ),
        *(
            (changed_strip("whole", **{"from": bad}), "from of whole must be 0, received")
            for bad in (3, False, None)
        ),
        *(
            (changed_strip("whole", codes=bad), f"whole {COLUMNS_OF} 56 layers, received")
            for bad in ("x", 3, None, "", "\u20ac", "....")
        ),
        (changed_strip("whole", codes="", loss=[], accuracy=[]), f"whole {COLUMNS_OF}"),
        *(
            (changed(**{name: bad}), f"{name} must be {COUNT}, received")
            for name in ("steps", "every")
            for bad in (0, -1, 1.5, True, "1", None, np.nan, 2**53)
        ),
        *(
            (changed(total=bad), f"total must be {COUNT}, or null, received")
            for bad in (True, 0, 10**400, [200], np.inf)
        ),
        *(
            (changed(seconds=bad), "seconds must be a number of at least 0, received")
            for bad in (-1, True, np.nan, np.inf, "long", None, [1.0])
        ),
        *(
            (changed(name=bad), "name must be text that is not empty, received")
            for bad in (None, "", 3, ["plain"], "\ud83d")
        ),
        *(
            (changed(layers=bad), "layers must be a list of at least one name, received")
            for bad in ("x" * 56, [None] * 56, [], ["\udce9"] * 56, [""] * 56)
        ),
        *(
            (changed(metric=bad), "metric must be a name or null, received")
            for bad in (["accuracy"], True, "a\ud800", np.nan)
        ),
        *(
            (changed_strip("whole", loss=[bad] * 100), "lists of numbers or null, received")
            for bad in ("1", np.nan, np.inf, True, [1])
        ),
        *(
            (changed_strip("whole", stride=bad), "stride of whole must be a whole number")
            for bad in (0, True, 2.5, None)
        ),
        # The first edition did not say where, of a training that broke.
        *(
            (changed(bad=bad), "bad must be null, or say layer, step, what and where, received")
            for bad in (
                {"layer": "a", "step": 1, "what": "NaN"},
                3,
                BAD | {"step": True},
                BAD | {"step": -1},
                BAD | {"layer": 3},
                BAD | {"what": "\ud800"},
            )
        ),
        (RECORD | {"runs": RECORD["runs"][:1] * 2}, "must have different names"),
    ],
)
def test_what_is_no_recorded_training_is_refused(source, said):
    with pytest.raises(ValueError, match=f"this dict is no recorded training: .*{said}"):
        TrainingPanel.replay(source)
    if source.get("runs") and source["file"] == recording.FILE:
        with pytest.raises((traitlets.TraitError, ValueError)) as refused:
            TrainingPanel(runs=source["runs"])
        assert "\n" not in str(refused.value)
        str(refused.value).encode()  # can be shown


@pytest.mark.parametrize(
    "held", [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000, b"1" * 10_000, b'{"runs": 3}']
)
def test_a_file_that_is_none_is_named(tmp_path, monkeypatch, held):
    (tmp_path / "other.json").write_bytes(held)
    monkeypatch.setenv("HOME", str(tmp_path))
    for source in (tmp_path / "other.json", "~/other.json"):
        with pytest.raises(ValueError, match=r"other\.json is no recorded training"):
            TrainingPanel.replay(source)
    for absent in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(OSError, match=absent.name):
            TrainingPanel.replay(absent)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"makers": None}, "makers must be a dict of 1 or 2 functions, received None"),
        ({"makers": {}}, "makers must be a dict of 1 or 2 functions, received {}"),
        ({"makers": [network()]}, "makers must be a dict of 1 or 2 functions"),
        ({"makers": {name: network() for name in "abc"}}, "makers must be a dict of 1 or 2"),
        ({"makers": {1: network()}}, "name must be text that can be shown, not empty, received 1"),
        ({"makers": {"caf\udce9": network()}}, "name must be text that can be shown"),
        ({"makers": {"": network()}}, "name must be text that can be shown"),
        ({"makers": {"one": 3}}, "'one' must be a function without arguments, received 3"),
        ({"epochs": 0}, "epochs must be a positive integer, received 0"),
        ({"batch_size": 1.5}, "batch_size must be a positive integer, received 1.5"),
        ({"every": True}, "every must be a positive integer, received True"),
    ],
)
def test_bad_arguments_are_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        TrainingPanel(**({"makers": {"one": network()}} | arguments))


def test_a_measure_that_is_none_is_refused():
    with pytest.raises(traitlets.TraitError, match="speed"):
        TrainingPanel({"one": network()}, quantity="speed")


# ---------------------------------------------------------------- where no widget can run


@pytest.mark.slow
def test_bundle_has_stable_words_and_a_picture():
    panel = panel_of("left", "right")
    texts = set()
    for _ in range(2):
        bundle, _ = panel._repr_mimebundle_()
        assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
        assert "application/vnd.jupyter.widget-view+json" in bundle
        texts.add(bundle["text/plain"])
        panel.run()
    assert texts == {"TrainingPanel: trains left and right, each layer's norms step by step."}
    bundle, _ = TrainingPanel.replay()._repr_mimebundle_()
    assert bundle["text/plain"].startswith("TrainingPanel: replays plain and residual,")


def test_a_replay_needs_no_tensorflow():
    code = """
import sys
from resnet_lesson import TrainingPanel
assert TrainingPanel.replay().runs
assert "tensorflow" not in sys.modules and "matplotlib" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_recorded_trainings_three_acts():
    panel = TrainingPanel.replay()
    gradient, weights, _ = (
        {name: panel.norms(name, measure, zoom=True) for name in ("plain", "residual")}
        for measure in MEASURES
    )
    # The plain network's gradient explodes, its first step is huge, and then a layer is frozen.
    assert gradient["plain"][0, 0] > 300 * gradient["plain"][0, -1]
    assert weights["plain"][1, 0] > 5 * weights["plain"][0, 0]
    assert panel.norms("plain", "update_ratio")[-1, 0] < 1e-5
    assert gradient["residual"][0, 0] < 10 * gradient["residual"][0, -1]
    assert weights["residual"][1, 0] < 1.1 * weights["residual"][0, 0]
    with pytest.raises(ValueError, match="name must be one of plain, residual, received 'x'"):
        panel.norms("x", "gradient_norm")
    with pytest.raises(ValueError, match=r"measure must be one of .* received 'x'"):
        panel.norms("plain", "x")
