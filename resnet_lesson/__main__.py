"""The command line: ``python -m resnet_lesson study degradation``, or ``train --preset digits``."""

import argparse
import dataclasses
import typing

from . import studies
from .output import print_line


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m resnet_lesson")
    commands = parser.add_subparsers(required=True)
    _add_study(commands)
    _add_train(commands)
    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, ImportError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except (OSError, FloatingPointError) as error:
        raise SystemExit(f"{parser.prog}: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("stopped") from None


def _add_study(commands):
    study = commands.add_parser(
        "study", help="run studies and write their records; what is on record is not run again"
    )
    study.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(studies.NAMES)}; all if none is given"
    )
    study.add_argument("--seeds", type=int, help="how many; a study has its own number")
    study.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask scheduler; else here")
    study.add_argument("--output", default="results", metavar="DIR", help="results, if not given")
    study.set_defaults(command=run_studies)


def run_studies(options):
    for chosen in [studies.study(name) for name in options.names or studies.NAMES]:
        record = studies.run(chosen, options.output, options.seeds, options.scheduler)
        print_line(f"{chosen.name}: {len(record)} lines on record. {chosen.question}")


def _add_train(commands):
    from .training.config import PRESETS, TrainingConfig

    train = commands.add_parser(
        "train",
        help="train a network, keeping all that is needed to go on",
        description="An option that is not given is the preset's, or with --resume the run's own.",
    )
    train.add_argument(
        "--preset", choices=PRESETS, help="digits, if not given; with --resume it only names DIR"
    )
    train.add_argument("--output", metavar="DIR", help="runs/PRESET, if not given")
    train.add_argument("--resume", action="store_true", help="go on with the run that DIR holds")
    train.add_argument("--data", metavar="PATH", help="of a local copy of CIFAR-10")
    train.add_argument(
        "--monitor", action="store_true", help="keep gradients.csv, of each step of this call"
    )
    reasons = TrainingConfig().why()
    for item in dataclasses.fields(TrainingConfig):
        train.add_argument(
            f"--{item.name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            help=reasons[item.name].replace("%", "%%"),
            **_kind(item.type),
        )
    train.set_defaults(command=run_training)


def _kind(kind):
    """How an option of this type is read."""
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if typing.get_origin(kind) is tuple:
        return {"type": int, "nargs": "*", "metavar": "N"}
    return {"type": kind, "metavar": "NAME" if kind is str else "N"}


def run_training(options):
    from . import training
    from .files import expand_path
    from .gradients.monitor import GradientMonitor

    output = options.output
    if output is None:
        output = f"runs/{options.preset or 'digits'}"
    given = {
        item.name: getattr(options, item.name)
        for item in dataclasses.fields(training.TrainingConfig)
        if hasattr(options, item.name)
    }
    if "drops" in given:
        given["drops"] = tuple(given["drops"])
    config = training.PRESETS[options.preset or "digits"]
    if options.resume:
        config = _going_on(training.begun(output), config, options)
    config = dataclasses.replace(config, **given)
    monitor, folder = GradientMonitor(), expand_path(output)
    try:
        run = training.train(
            config, output, data=options.data, resume=options.resume, monitor=monitor
        )
    except KeyboardInterrupt:
        raise SystemExit(f"stopped; with --resume --output {output} it goes on") from None
    finally:
        if options.monitor and len(monitor.records["step"]):  # none if the run was finished before
            monitor.to_csv(folder / "gradients.csv")
    print_line(f"{run.sentence}. The curves: {folder / 'curves.png'}")


def _going_on(begun, preset, options):
    """The configuration of a run that was begun, else the preset's."""
    if begun is None:
        return preset
    if options.preset and preset.dataset != begun.dataset:
        raise ValueError(
            f"a run goes on with its own data, {begun.dataset}, received the preset "
            f"{options.preset}, which is for {preset.dataset}"
        )
    return begun


if __name__ == "__main__":
    main()
