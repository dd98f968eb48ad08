"""The command line: ``python -m resnet_lesson train --preset digits``, and its other commands."""

import argparse
import errno
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import studies
from .checks import BACKENDS
from .keras_settings import begun_on
from .output import print_line, visible


class Parser(argparse.ArgumentParser):
    """One whose last line is visible: an argument or a file may have any characters in its name."""

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        super().exit(status, f"{visible(message.strip())}\n" if message else None)


def main(arguments: list[str] | None = None) -> None:
    """Run one command.

    Raises:
        SystemExit: with 2 for a wrong argument, 1 where a command fails or is stopped; the message
            is one line.
    """
    parser = Parser(prog="python -m resnet_lesson")
    commands = parser.add_subparsers(required=True)
    for add in (_add_study, _add_train, _add_pack, _add_widget_data, _add_doctor):
        add(commands)
    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, ImportError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except OSError as error:
        raise SystemExit(visible(f"{parser.prog}: {error}{_remedy(error, options)}")) from error
    except FloatingPointError as error:
        raise SystemExit(visible(f"{parser.prog}: {error}")) from error
    except KeyboardInterrupt:
        raise SystemExit("stopped") from None


def _remedy(error: OSError, options: argparse.Namespace) -> str:
    """What to do, if an error says that a folder is gone or that this cannot be written to."""
    if error.errno == errno.ENOENT and _started_nowhere():
        return " (the folder in which this was started was deleted: change to another)"
    if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS) or "output" not in options:
        return ""
    # What is given no other place is written into the package itself.
    output = Path(__file__).parent if options.output is None else options.output
    folder, refused = Path(output).absolute(), Path(str(error.filename)).absolute()
    if not (refused.is_relative_to(folder) or folder.is_relative_to(refused)):
        return ""
    return f" ({'OUTPUT' if options.command is pack_run else '--output'} says where to write)"


def _started_nowhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _add_study(commands: Any) -> None:
    study = commands.add_parser(
        "study", help="run studies and write their records; what is on record is not run again"
    )
    study.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(studies.NAMES)}; all if none is given"
    )
    study.add_argument(
        "--seeds", type=int, metavar="N", help="seeds for each setting; a study has its own number"
    )
    study.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="the address of a Dask scheduler, which runs what anybody sends it who reaches it: "
        "start it by `dask scheduler --host 127.0.0.1 --dashboard-address 127.0.0.1:8787`, or see "
        "docs/nobody.md for several machines; without it, this machine runs the studies",
    )
    study.add_argument(
        "--output",
        default="results",
        metavar="DIR",
        help="where the records are; results, if not given",
    )
    study.set_defaults(command=run_studies)


def run_studies(options: argparse.Namespace) -> None:
    for chosen in [studies.study(name) for name in options.names or studies.NAMES]:
        record = studies.run(chosen, options.output, options.seeds, options.scheduler)
        print_line(f"{chosen.name}: {len(record)} lines on record. {chosen.question}")


def _add_train(commands: Any) -> None:
    from .training import config

    train = commands.add_parser(
        "train",
        help="train a network, keeping all that is needed to go on",
        description="An option that is not given is the preset's, or with --resume the run's own.",
    )
    train.add_argument(
        "--preset",
        choices=config.PRESETS,
        help="digits, if not given; with --resume a run that was begun keeps its own",
    )
    train.add_argument(
        "--output", metavar="DIR", help="the folder of the run; runs/PRESET, if not given"
    )
    train.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run that DIR holds, or begin one there",
    )
    train.add_argument("--data", metavar="PATH", help="the path of a local copy of CIFAR-10")
    train.add_argument(
        "--monitor", action="store_true", help="keep gradients.csv, of each step of this call"
    )
    train.add_argument(
        "--devices",
        choices=config.DEVICES,
        default="one",
        help="all that this machine has share each batch; one, if not given",
    )
    train.add_argument(
        "--backend",
        choices=BACKENDS,
        help="what Keras computes on; the run's own with --resume, else what Keras is set to",
    )
    config.add_options(train)
    train.set_defaults(command=run_training)


def _chosen_backend() -> str | None:
    """What Keras computes on, if it is imported or the environment says so."""
    if "keras" in sys.modules:
        return sys.modules["keras"].backend.backend()
    return os.environ.get("KERAS_BACKEND") or None


def _choose_backend(name: str) -> None:
    """Let Keras compute on this backend, if nothing has chosen another."""
    chosen = _chosen_backend() or name
    if chosen != name:
        raise ValueError(
            f"--backend must be that of KERAS_BACKEND where it is set, {chosen}, received {name}"
        )
    os.environ["KERAS_BACKEND"] = name


def run_training(options: argparse.Namespace) -> None:
    from . import training
    from .files import expand_path, user_path
    from .training import checkpoint
    from .training.config import with_options

    preset = options.preset or "digits"
    if options.output is None:
        options.output = f"runs/{preset}"
    output = options.output
    config = training.PRESETS[preset]
    stored = checkpoint.load(user_path("output", output)) if options.resume else None
    if stored:
        if options.preset and stored.config.dataset != config.dataset:
            raise ValueError(
                f"a run goes on with its own data, {stored.config.dataset}, received the preset "
                f"{options.preset}, which is for {config.dataset}"
            )
        config = stored.config
    if options.backend:
        _choose_backend(options.backend)
    elif stored and not _chosen_backend():
        _choose_backend(begun_on(stored.about["versions"]))
    from .gradients.monitor import GradientMonitor
    from .training import folder

    config = with_options(config, options)
    monitor, path = GradientMonitor(), expand_path(output)
    try:
        run = training.train(
            config,
            output,
            data=options.data,
            resume=options.resume,
            devices=options.devices,
            monitor=monitor,
        )
    except KeyboardInterrupt:
        raise SystemExit(visible(f"stopped; to go on, add --resume --output {output}")) from None
    finally:
        if options.monitor and len(monitor.records["step"]):  # none of a run that was finished
            monitor.to_csv(path / folder.GRADIENTS)
    print_line(f"{run.sentence}. The curves: {path / folder.CURVES}")


def _add_pack(commands: Any) -> None:
    pack = commands.add_parser(
        "pack",
        help="pack a finished run, for pretrained.load",
        description="Write the weights of a finished run in half precision, and what is measured "
        "of its network; pretrained.load(OUTPUT) loads it.",
    )
    pack.add_argument("run", metavar="RUN", help="the folder of a finished run")
    pack.add_argument("output", metavar="OUTPUT", help="the folder for the packed network")
    pack.add_argument("--data", metavar="PATH", help="the path of a local copy of CIFAR-10")
    pack.set_defaults(command=pack_run)


def pack_run(options: argparse.Namespace) -> None:
    from .pretrained.pack import pack

    pack(options.run, options.data, options.output)
    print_line(f"Packed. pretrained.load({options.output!r}) opens it.")


def _add_widget_data(commands: Any) -> None:
    for name, command, text in (
        ("grid", write_grid, "compute the explorer's curves for where there is no kernel"),
        ("runs", write_runs, "record the trainings that the panel replays without a kernel"),
    ):
        parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        parser.add_argument(
            "--output", metavar="FILE", help=f"{name}.json of the package itself, if not given"
        )
        parser.set_defaults(command=command)


def write_grid(options: argparse.Namespace) -> None:
    from .widgets.explorer import grid

    print_line(f"The explorer's curves: {grid.write(options.output)}")


def write_runs(options: argparse.Namespace) -> None:
    from .widgets.panel import runs

    print_line(f"The recorded trainings: {runs.write(options.output)}")


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor", help="say what this machine and this installation bring, and what is amiss"
    )
    doctor.set_defaults(command=examine)


def examine(options: argparse.Namespace) -> None:
    from .doctor import findings

    found = findings()
    for each in found:
        print_line(f"{each.what}: {each.found}")
        if each.advice:
            print_line(f"    -> {each.advice}")
    amiss = [each.what for each in found if each.advice]
    if amiss:
        raise SystemExit(f"amiss: {', '.join(amiss)}")
    print_line("All is well.")


if __name__ == "__main__":
    main()
