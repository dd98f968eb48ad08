"""Records of studies: one small JSON file each, which is refused if it was edited by hand."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files import atomic_write, expand_path, json_table
from ..untrusted import COUNT, OBJECT, TEXT, listed, objects, read_json

Row = dict[str, Any]  # flat: the settings of a run, its seed, its measures
COMMITTED = Path(__file__).parents[1] / "results"  # the records behind the lesson's claims
# What every record has; a study may have more.
VERSIONS = OBJECT | {"additionalProperties": TEXT}
ROWS = listed(objects(seed=COUNT), least=1)
_SCHEMA = objects(
    **dict.fromkeys(("study", "command", "date", "sha256"), TEXT), versions=VERSIONS, runs=ROWS
)


def tried(configurations: Iterable[Mapping[str, Any]]) -> dict[str, list]:
    """The values of each setting in these configurations, in order of first appearance."""
    values: dict[str, dict] = {}
    for configuration in configurations:
        for name, value in configuration.items():
            values.setdefault(name, {})[value] = None
    return {name: list(found) for name, found in values.items()}


class Record:
    """The runs of a study as a table.

    ``runs`` is a list of rows, flat dicts: a run's configuration, its seed, its measures. ``about``
    is the rest of the file: ``study``, ``command``, ``tried``, the values of each setting that were
    tried, ``date``, ``versions``.
    """

    def __init__(self, runs: list[Row], about: dict[str, Any]) -> None:
        self.runs, self.about = runs, about

    def __len__(self) -> int:
        return len(self.runs)

    def where(self, **values: Any) -> "Record":
        """The rows that have these values; a tuple, list or set stands for any of its members.

        Raises:
            ValueError: no row has them.
        """
        self._check_names(*values)
        choices = {
            name: value if isinstance(value, (tuple, list, set)) else (value,)
            for name, value in values.items()
        }
        rows = [
            row
            for row in self.runs
            if all(name in row and row[name] in allowed for name, allowed in choices.items())
        ]
        if not rows:
            raise ValueError(f"{self.about['study']} must have a run to show, received {values}")
        return Record(rows, self.about)

    def __getitem__(self, measure: str) -> np.ndarray:
        """(rows,) the values of one measure or setting; NaN where a row has none.

        Raises:
            ValueError: no row has it.
        """
        self._check_names(measure)
        return np.array([np.nan if row.get(measure) is None else row[measure] for row in self.runs])

    def _check_names(self, *names: str) -> None:
        known = dict.fromkeys(name for row in self.runs for name in row)
        for name in names:
            if name not in known:
                raise ValueError(
                    f"a column of {self.about.get('study')} must be one of {', '.join(known)}, "
                    f"received {name!r}"
                )

    def values(self, setting: str) -> list:
        """The different values of the setting, in order of first appearance."""
        return list(dict.fromkeys(row[setting] for row in self.runs if setting in row))

    def best(self, measure: str, *settings: str) -> "Record":
        """The rows with those values of the settings at which the mean of ``measure`` is largest.

        The measure is the larger the better, as an accuracy. A row without it, as of a network that
        diverged, counts as 0.
        """
        self._check_names(measure, *settings)
        groups: dict[tuple, list[Row]] = {}
        for row in self.runs:
            groups.setdefault(tuple(row.get(name) for name in settings), []).append(row)
        rows = max(groups.values(), key=lambda g: np.mean([row.get(measure) or 0.0 for row in g]))
        return Record(rows, self.about)

    def band(self, measure: str, by: str) -> tuple[np.ndarray, np.ndarray]:
        """(n,) the values of the setting ``by``, sorted, and (n, seeds) the measure at each.

        Raises:
            ValueError: not one row for each setting and seed.
        """
        settings, seeds = sorted(self.values(by)), sorted(self.values("seed"))
        measured = {(row[by], row["seed"]): row[measure] for row in self.runs}
        if not len(measured) == len(self) == len(settings) * len(seeds):
            raise ValueError(
                f"a band must have one run for each {by} and seed, "
                f"received {len(self)} runs of {len(settings)} {by} and {len(seeds)} seeds"
            )
        values = [[measured[setting, seed] for seed in seeds] for setting in settings]
        return np.array(settings), np.array(values, dtype=float)


def record(name: str, folder: str | os.PathLike[str] | None = None) -> Record:
    """The record of a study, from ``folder``; else from ``results``, else the committed one.

    Raises:
        FileNotFoundError: there is none; says how to make it.
        ValueError: the file was edited by hand, or is no record.
    """
    folders = [expand_path(folder)] if folder else [Path("results"), COMMITTED]
    for path in (each / f"{name}.json" for each in folders):
        if path.exists():
            return read_record(path, name)
    raise FileNotFoundError(
        f"no record of {name} in {folders[0]}: python -m resnet_lesson study {name} makes it"
    )


def read_record(path: str | os.PathLike[str], study: str | None = None) -> Record:
    """The record in this file.

    Args:
        path: of the file.
        study: whose record it must be; None takes that of any.

    Raises:
        ValueError: it is no record, or another's, or its checksum does not match its runs.
    """
    file = expand_path(path)
    content = read_json(
        file, _SCHEMA, "the record of a study", "move it away, and run the study again"
    )
    if study not in (None, content["study"]):
        raise ValueError(
            f"{file} must be the record of {study}, received that of {content['study']}: move it "
            "away"
        )
    runs, written = content.pop("runs"), content.pop("sha256")
    if written != checksum(runs):
        raise ValueError(
            f"the checksum must fit the runs, received {file} changed by hand: delete it, and "
            f"{content['command']} makes it again"
        )
    return Record(runs, content)


def write_record(path: str | os.PathLike[str], record: Record) -> None:
    """Write the record atomically, one row a line."""
    table = record.about | {"sha256": checksum(record.runs), "runs": record.runs}
    with atomic_write(path) as partial:
        partial.write_text(json_table(table, "runs"), encoding="utf-8")


def checksum(value: Any) -> str:
    """SHA-256 of what JSON can hold, as hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """The same text for equal values: what is compared, and looked up."""
    return json.dumps(value, sort_keys=True)
