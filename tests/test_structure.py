"""The house rules that a linter does not check."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"tensorcore", "backends", "plugins", "conformance", "tests", "docs"}
#: What builds and runs leave, all ignored by git.
LEFT_BEHIND = {"build", "dist", "runs", "__pycache__"}
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "_build" not in path.parts)

LONGEST = 500
#: Longer files, with the reason.
LONGER: dict[str, str] = {}

#: Imports of the core besides the standard library, pluggy and itself: (file, module) and the reason.
CORE_EXCEPTIONS: dict[tuple[str, str], str] = {
    ("tensorcore/interop.py", "numpy"): "Tensor.numpy() returns the caller's NumPy array",
    ("tensorcore/interop.py", "ml_dtypes"): "the NumPy dtype of a bfloat16 array",
    ("tensorcore/einops.py", "einops"): "its layers, of which these are subclasses; imported by who uses them",
    ("tensorcore/einops_backend.py", "einops"): "its base class of backends; imported when einops is",
    ("tensorcore/onnx/assembling.py", "onnx"): "the format of its files, for who exports",
    ("tensorcore/onnx/program.py", "onnx"): "its checks and its way to files larger than 2 GB",
    ("tensorcore/onnx/program.py", "onnxruntime"): "runs what was exported, for who asks for it",
    ("tensorcore/onnx/writer.py", "onnx"): "its graphs and tensors, for who exports",
    ("tensorcore/utils/tensorboard/protocol.py", "tensorboard"): "the format of its files, for who writes them",
    ("tensorcore/utils/tensorboard/projector.py", "google"): "protocol buffers as text, which come with tensorboard",
    ("tensorcore/utils/tensorboard/pictures.py", "PIL"): "films, for who logs them",
    ("tensorcore/viz/raster.py", "matplotlib"): "pictures in pixels, for who asks for them and installs it",
}

#: Names that could hold anything.
VAGUE = {"utils.py", "util.py", "helpers.py", "helper.py", "manager.py", "base.py", "common.py", "misc.py"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_is_no_other_top_level_folder():
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert found - LEFT_BEHIND <= FOLDERS


@pytest.mark.parametrize("outer", ["backends", "plugins", "conformance"])
def test_what_ls_shows_is_what_is_imported(outer):
    for path in (ROOT / outer).iterdir():
        if path.name not in LEFT_BEHIND:
            assert path.name.startswith("tensorcore_"), path
            assert (path / "__init__.py").is_file(), f"{path} is not a package"


def test_files_are_short():
    long = {relative(path): lines for path in SOURCES if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST}
    assert set(long) == set(LONGER), f"split these, or list them in LONGER with the reason: {long}"


def test_no_file_name_is_vague():
    assert not [relative(path) for path in SOURCES if path.name in VAGUE]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """The modules a file imports anywhere, with line numbers, those for type checkers left out."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module


def test_the_core_imports_the_standard_library_and_pluggy():
    allowed = {"tensorcore", "pluggy", *sys.stdlib_module_names}
    # The command line is for people: its tables, bars and pictures come with extras.
    for_people = {"typer", "click", "rich", "matplotlib", "PIL"}
    strangers = [
        f"{relative(path)}:{line} imports {module}"
        for path in (ROOT / "tensorcore").rglob("*.py")
        for line, module in imports(path)
        if (top := module.partition(".")[0]) not in allowed
        and not (top in for_people and "cli" in path.parts)
        and (relative(path), top) not in CORE_EXCEPTIONS
    ]
    assert not strangers


def entry_points() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project["entry-points"]["tensorcore"]


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "tests", timeout=120
    ).stdout


def test_importing_the_library_imports_no_array_library():
    heavy = {"numpy", "cupy", "torch", "jax", "array_api_compat", "ml_dtypes", "numba", "pluggy", "importlib.metadata"}
    loaded = python("import sys, tensorcore; print(*sys.modules)").split()
    assert not heavy & set(loaded)


@pytest.mark.parametrize("module", entry_points().values())
def test_registering_a_plugin_imports_nothing_heavy(module):
    package = module.partition(".")[0]
    loaded = set(python(f"import sys, {module}; print(*sys.modules)").split())
    assert not {"numpy", "cupy", "torch", "jax", "array_api_compat", "ml_dtypes", "numba", "PIL", "matplotlib"} & loaded
    assert {name for name in loaded if name.partition(".")[0] == package} == {package, module}


@pytest.mark.parametrize("module", entry_points().values())
def test_what_a_plugin_registers_exists(module):
    plugin = importlib.import_module(module)
    for name, hook in vars(plugin).items():
        if name.startswith("tensorcore_"):
            for spec in hook():
                path = spec.target.partition(":")[0].replace(".", "/")
                files = [ROOT / outer / f"{path}{end}" for outer in FOLDERS | {"."} for end in (".py", "/__init__.py")]
                assert any(file.is_file() for file in files), f"{spec.name}: no module for {spec.target}"


def modules(package: str) -> Iterator[ModuleType]:
    """A package and all its modules."""
    found = importlib.import_module(package)
    yield found
    for each in pkgutil.walk_packages(found.__path__, f"{package}."):
        if not each.name.endswith("__main__"):
            yield importlib.import_module(each.name)


def undocumented(module: ModuleType) -> Iterator[str]:
    if not module.__doc__:
        yield module.__name__
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if getattr(value, "__module__", None) != module.__name__ or not callable(value):
            continue
        # What a dataclass or a named tuple writes for itself is no documentation.
        written = inspect.getdoc(value) if not inspect.isclass(value) else value.__dict__.get("__doc__")
        if not written or (isinstance(written, str) and re.fullmatch(rf"{name}\(.*\)", written, re.DOTALL)):
            yield f"{module.__name__}.{name}"
        if inspect.isclass(value):
            for attribute, member in vars(value).items():
                described = inspect.isroutine(member) or isinstance(member, property | classmethod | staticmethod)
                if not attribute.startswith("_") and described and not inspect.getdoc(getattr(value, attribute)):
                    yield f"{module.__name__}.{name}.{attribute}"


@pytest.mark.parametrize(
    "package", ["tensorcore", "tensorcore_zoo", "tensorcore_vision", "tensorcore_training", "tensorcore_conformance"]
)
def test_every_public_name_has_a_docstring(package):
    assert not [name for module in modules(package) for name in undocumented(module)]


def test_every_public_function_and_method_has_a_docstring():
    import tensorcore as tc

    names = [name for name in dir(tc) if not name.startswith("_") and callable(getattr(tc, name))]
    assert not [name for name in names if not inspect.getdoc(getattr(tc, name))]
    assert not [name for name in dir(tc.Tensor) if name[0] != "_" and not inspect.getdoc(getattr(tc.Tensor, name))]
