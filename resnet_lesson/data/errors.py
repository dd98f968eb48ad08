"""Errors about data files that are damaged or incomplete."""

from collections.abc import Collection, Iterable


def one_line(text: object) -> str:
    """A text, perhaps of several lines, in one."""
    return " ".join(str(text).split())


def damaged(place: object, kind: str, reason: object) -> ValueError:
    """The error that what is read from ``place`` is not of this kind."""
    return ValueError(
        f"{place} must be {kind}, received a damaged or other file ({one_line(reason)}): "
        "copy or download it again"
    )


def check_complete(path: object, names: Iterable[str], present: Collection[str]) -> None:
    """Refuse a file or folder in which one of these names is not present."""
    missing = [name for name in names if name not in present]
    if missing:
        raise ValueError(f"{path} must hold {', '.join(names)}, received none named {missing[0]}")
