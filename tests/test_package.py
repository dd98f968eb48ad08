"""The package as a whole: light to import, quiet, and layered."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import resnet_lesson

PACKAGE = Path(resnet_lesson.__file__).parent
# From the ground up; a module may use only those before it.
LAYERS = (
    *(
        "files",
        "text",
        "terminal",
        "runtime",
        "pickled",
        "cifar_archive",
        "local_data",
        "data",
        "curves",
        "plots",
        "architecture",
        "resnet",
        "stacks",
        "kernels",
        "probe",
        "monitor",
        "training",
        "pretrained",
    ),
    *("studies", "widgets", "exercises", "doctor", "__main__"),
)
# The only homes of heavy libraries.
HOMES = {
    "tensorflow": "runtime",
    "keras": "runtime",
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


def test_tensorflow_comes_up_in_silence():
    done = python("from resnet_lesson.runtime import tf; tf.zeros(1)")
    assert done.stdout + done.stderr == ""


def test_every_public_name_resolves():
    for name in resnet_lesson.__all__:
        assert getattr(resnet_lesson, name).__name__ == name
        assert name in dir(resnet_lesson)


def test_every_folder_of_code_is_installed():
    listed = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {path.parent.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py")}
    names = {".".join(folder.parts) for folder in folders}
    assert names == set(listed["tool"]["setuptools"]["packages"])


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        top = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if top != "__init__":
            yield path, top


class WithoutSolutions(ast.NodeTransformer):
    """Leaves out what an exercise shows as its solution: a notebook's code, with its imports."""

    def visit_FunctionDef(self, node):
        decorators = [getattr(decorator, "attr", None) for decorator in node.decorator_list]
        return None if "solved_by" in decorators else node


def imports(path):
    """(level, dotted name) of every import in the file, inside functions too."""
    for node in ast.walk(WithoutSolutions().visit(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.level, node.module
            else:
                yield from ((node.level, alias.name) for alias in node.names)


def test_modules_use_only_those_below_them():
    seen = 0
    for path, top in modules():
        depth = len(path.relative_to(PACKAGE).parts)
        for level, name in imports(path):
            absolute = level == 0 and name.split(".")[0] == PACKAGE.name
            assert not absolute, f"{path.name} imports {name}: relative, so that it is seen here"
            if level == depth:  # an import from the package's root
                used = name.split(".")[0]
                assert LAYERS.index(used) < LAYERS.index(top), f"{path.name} imports {used}"
                seen += 1
    assert seen, "the walk over the imports found none"


def test_heavy_libraries_have_one_home():
    for path, top in modules():
        for level, name in imports(path):
            library = name.split(".")[0]
            if level == 0 and library in HOMES:
                assert HOMES[library] == top, f"{path.name} imports {library}"
