"""A method of one object replaced for a while."""

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def patched(instance: Any, name: str, value: Any) -> Iterator[None]:
    """A context in which the attribute ``name`` of the instance is ``value``."""
    attributes = vars(instance)
    had, before = name in attributes, attributes.get(name)
    attributes[name] = value
    try:
        yield
    finally:
        if had:
            attributes[name] = before
        else:
            del attributes[name]
