"""Errors about data files that are damaged or incomplete."""

import contextlib
from collections.abc import Collection, Iterable, Iterator


def one_line(text: object) -> str:
    """A text, perhaps of several lines, in one."""
    return " ".join(str(text).split())


@contextlib.contextmanager
def naming_damage(place: object, kind: str) -> Iterator[None]:
    """Any error in reading says that what is at ``place`` is not of this kind."""
    try:
        yield
    except Exception as error:  # reading raises whatever damaged bytes lead to
        raise ValueError(
            f"{place} must be {kind}, received a damaged or other file ({one_line(error)}): "
            "copy or download it again"
        ) from error


def check_complete(path: object, names: Iterable[str], present: Collection[str]) -> None:
    """Refuse a file or folder in which one of these names is not present."""
    missing = [name for name in names if name not in present]
    if missing:
        raise ValueError(f"{path} must hold {', '.join(names)}, received none named {missing[0]}")
