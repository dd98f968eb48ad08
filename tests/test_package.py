"""The package as a whole: light to import, quiet, and layered."""

import ast
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import resnet_lesson

PACKAGE = Path(resnet_lesson.__file__).parent
# What each room may import. A room stands below those that use it: the table has no circle.
GROUND = {
    *("files", "output", "checks", "untrusted", "keras_settings", "stopping"),
    *("backend", "runtime"),
}
SUBJECTS = GROUND | {"plots", "data", "networks", "gradients"}
MAY_IMPORT = {
    **{room: set() for room in GROUND},
    "keras_settings": {"checks", "untrusted"},
    "backend": {"checks", "output", "keras_settings"},
    "runtime": {"backend", "keras_settings"},
    "plots": {"output"},
    "data": GROUND,
    "networks": GROUND,
    "gradients": SUBJECTS - {"gradients"},
    "training": SUBJECTS,
    "pretrained": SUBJECTS | {"training"},
    "studies": SUBJECTS,
    "widgets": SUBJECTS | {"pretrained"},
    "exercises": SUBJECTS | {"widgets"},
    "doctor": {"checks", "output", "keras_settings", "backend"},
    "__main__": SUBJECTS | {"training", "pretrained", "studies", "widgets", "doctor"},
}
# Where the name of a module comes from a table: of the public names, of backends, of studies.
TABLES = {"resnet_lesson", "resnet_lesson.backend", "resnet_lesson.studies"}
# The only homes of heavy libraries.
HOMES = {
    **dict.fromkeys(("keras", "tensorflow", "jax", "torch"), "backend"),
    "matplotlib": "plots",
    "ipywidgets": "widgets",
    "anywidget": "widgets",
}


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )


def test_import_is_light():
    heavy = ("tensorflow", "keras", "matplotlib", "ipywidgets", "anywidget", "sklearn")
    loaded = python("import sys, resnet_lesson; print(*sys.modules)").stdout.split()
    assert not set(heavy) & set(loaded)


@pytest.mark.slow
def test_tensorflow_comes_up_in_silence():
    done = python("from resnet_lesson.runtime import tf; tf.zeros(1)")
    assert done.stdout + done.stderr == ""


def test_every_public_name_resolves():
    for name in resnet_lesson.__all__:
        assert getattr(resnet_lesson, name).__name__ == name
        assert name in dir(resnet_lesson)


def test_the_arithmetic_has_its_first_name_too():
    from resnet_lesson import architecture
    from resnet_lesson.networks import cost

    assert architecture is cost


def test_every_folder_of_code_is_installed():
    listed = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {path.parent.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py")}
    names = {".".join(folder.parts) for folder in folders}
    assert names == set(listed["tool"]["setuptools"]["packages"])


class WithoutSolutions(ast.NodeTransformer):
    """Leaves out what an exercise shows as its solution: a notebook's code, with its imports."""

    def visit_FunctionDef(self, node):
        decorators = [getattr(decorator, "attr", None) for decorator in node.decorator_list]
        return None if "solved_by" in decorators else self.generic_visit(node)


def imported(source, name, is_package=False):
    """The dotted names that a module of this name imports: anywhere, and by ``importlib`` too.

    A ``from`` gives the name in it as well, as that may be a module: ``a`` and ``a.b`` of
    ``from a import b``.
    """
    parents = name.split(".") if is_package else name.split(".")[:-1]
    for node in ast.walk(WithoutSolutions().visit(ast.parse(source))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # One dot is the package itself.
            stem = parents[: len(parents) - node.level + 1] if node.level else []
            module = ".".join([*stem, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            yield from [] if name in TABLES else [called(node.args[0], ".".join(parents))]


def called(argument, package):
    """The name that ``import_module`` gets: a constant, or one behind ``__package__``."""
    match argument:
        case ast.Constant(value=str(name)):
            return name
        case ast.JoinedStr(
            values=[ast.FormattedValue(value=ast.Name("__package__")), ast.Constant(value=rest)]
        ):
            return package + rest
    raise AssertionError(
        f"which module is {ast.unparse(argument)}? Write its name, to be seen here"
    )


def modules():
    """Of every module of the package: its name, its room, and the names that it imports."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found = list(imported(path.read_text(encoding="utf-8"), name, is_package))
        yield name, room(name), found


def room(name):
    """The room that a module of the package is in; None for the package itself and others."""
    package, _, rest = name.partition(".")
    return rest.split(".")[0] if package == PACKAGE.name and rest else None


def test_rooms_import_only_those_below_them():
    arrows = set()
    for name, own, found in modules():
        for used in filter(None, map(room, found)):
            if own is not None and used in MAY_IMPORT and used != own:
                assert used in MAY_IMPORT[own], f"{name} imports {used}"
                arrows.add((own, used))
    # An arrow that nobody draws any more is not kept.
    assert {
        ("__main__", "widgets"),
        ("gradients", "networks"),
        ("widgets", "gradients"),
        ("widgets", "pretrained"),
    } <= arrows
    assert set(MAY_IMPORT) == {own for _, own, _ in modules() if own}
    list(TopologicalSorter(MAY_IMPORT).static_order())


def test_no_module_comes_back_to_itself():
    every = {name: set(found) for name, _, found in modules()}
    graph = {name: (found & every.keys()) - {PACKAGE.name} for name, found in every.items()}
    # A module may be in a package that lists it, whose lists are then no part of what it does.
    for name, found in graph.items():
        found.difference_update({name, name.rpartition(".")[0]})
    assert sum(map(len, graph.values())) > 100
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def f():\n    from ..b import c", "p.b.c"),
        ("from .. import b", "p.b"),
        ("from . import b", "p.a.b"),
        ("import p.b as c", "p.b"),
        ("importlib.import_module('p.b')", "p.b"),
        ("def f():\n    return import_module(f'{__package__}.b')", "p.a.b"),
    ],
)
def test_every_kind_of_import_is_seen(code, name):
    assert name in imported(code, "p.a.module")


def test_an_import_that_cannot_be_read_is_refused():
    with pytest.raises(AssertionError, match="which module is wanted"):
        list(imported("importlib.import_module(wanted)", "p.a.module"))


def test_heavy_libraries_have_one_home():
    for name, own, found in modules():
        for library in {used.split(".")[0] for used in found} & HOMES.keys():
            assert HOMES[library] == own, f"{name} imports {library}"
