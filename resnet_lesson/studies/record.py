"""The evidence: one small JSON file a study, that refuses to be read once a hand has changed it."""

import hashlib
import json
from pathlib import Path

import numpy as np

from ..files import atomic_write, expand_path, json_table

# What a record is, beside what more a study has to say.
_KINDS = {
    **dict.fromkeys(("study", "command", "date", "sha256"), str),
    **{"versions": dict, "runs": list},
}


class Record:
    """The runs of a study as a table.

    ``runs`` is a list of flat dicts: a run's configuration, its seed, its measures. ``about`` is
    the rest of the file: ``study``, ``command``, ``date``, ``versions``.
    """

    def __init__(self, runs, about):
        self.runs, self.about = runs, about

    def __len__(self):
        return len(self.runs)

    def where(self, **values):
        """The runs that have these values; a tuple, list or set stands for any of its members.

        Raises:
            ValueError: no run has them.
        """
        self._check_known(*values)
        choices = {
            name: value if isinstance(value, (tuple, list, set)) else (value,)
            for name, value in values.items()
        }
        runs = [
            run
            for run in self.runs
            if all(name in run and run[name] in allowed for name, allowed in choices.items())
        ]
        if not runs:
            raise ValueError(f"{self.about['study']} must have a run to show, received {values}")
        return Record(runs, self.about)

    def __getitem__(self, measure):
        """(runs,) the values of one measure or setting; NaN where a run has none.

        Raises:
            ValueError: no run has it.
        """
        self._check_known(measure)
        return np.array([np.nan if run.get(measure) is None else run[measure] for run in self.runs])

    def _check_known(self, *names):
        known = dict.fromkeys(name for run in self.runs for name in run)
        for name in names:
            if name not in known:
                raise ValueError(
                    f"a column of {self.about.get('study')} must be one of {', '.join(known)}, "
                    f"received {name!r}"
                )

    def values(self, setting):
        """What the setting takes, in order of first appearance."""
        return list(dict.fromkeys(run[setting] for run in self.runs if setting in run))

    def band(self, measure, by):
        """(n,) the settings of ``by``, sorted, and (n, seeds) the measure over seeds at each.

        Raises:
            ValueError: not one run for each setting and seed.
        """
        settings, seeds = sorted(self.values(by)), sorted(self.values("seed"))
        found = {(run[by], run["seed"]): run[measure] for run in self.runs}
        if not len(found) == len(self) == len(settings) * len(seeds):
            raise ValueError(
                f"a band must have one run for each {by} and seed, "
                f"received {len(self)} runs of {len(settings)} {by} and {len(seeds)} seeds"
            )
        values = [[found[setting, seed] for seed in seeds] for setting in settings]
        return np.array(settings), np.array(values, dtype=float)


def record(name, folder=None):
    """The committed record of a study, from ``folder``, ``results`` or ``../results``.

    Raises:
        FileNotFoundError: there is none; says how to make it.
        ValueError: the file was changed by hand, or is no record.
    """
    folders = [expand_path(folder)] if folder else ["results", "../results"]
    paths = [Path(place) / f"{name}.json" for place in folders]
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        raise FileNotFoundError(
            f"no record of {name} in {' or '.join(map(str, folders))}: "
            f"python -m resnet_lesson study {name} makes it"
        )
    return read(path)


def read(path):
    """The record in this file.

    Raises:
        ValueError: it is no record, or its checksum does not fit its runs.
    """
    path = expand_path(path)
    content = parsed(path.read_bytes(), _KINDS)
    if content is None:
        raise ValueError(
            f"{path} must be the record of a study, received a damaged or other file: move it away"
        )
    runs, checksum = content.pop("runs"), content.pop("sha256")
    if checksum != _checksum(runs):
        raise ValueError(
            f"the checksum must fit the runs, received {path} changed by hand: delete it, and "
            f"{content['command']} makes it again"
        )
    return Record(runs, content)


def parsed(content, kinds):
    """The dict that these bytes are as JSON, or None if it is not one with such values.

    Args:
        content: bytes.
        kinds: a dict of the type of each value that there must be; runs are lists of dicts.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    fits = all(isinstance(found.get(name), kind) for name, kind in kinds.items())
    return found if fits and all(isinstance(run, dict) for run in found["runs"]) else None


def write(path, record):
    """Write the record, one run a line; a reader never meets half a file."""
    head = record.about | {"sha256": _checksum(record.runs)}
    text = json_table(head, "runs", record.runs)
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")


def _checksum(runs):
    return hashlib.sha256(json.dumps(runs, sort_keys=True).encode()).hexdigest()
