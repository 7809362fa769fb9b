"""``tensorcore new-backend`` and ``new-model``: a plugin's distribution, from templates, that works as it is."""

from __future__ import annotations

import json
import keyword
import os
import re
import shutil
import warnings
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tensorcore.cli.console import print_json
from tensorcore.cli.main import UsageError

__all__ = ["Names", "create", "new_backend", "new_model", "render", "show"]

#: PEP 508: what may be the name of a distribution.
_DISTRIBUTION: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")

#: Longer names would not fit into the lines of the templates.
_LONGEST: Final = 32

#: GitHub's own expressions have spaces within their braces.
_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")

_NAMESPACE: Final = "array_api_compat.numpy"

#: The distributions of this project, which a plugin would take the place of.
_OWN: Final = frozenset({"tensorcore-framework"})

# Where each file goes, and its template. {package} is the import package.

_PROJECT: Final = {
    ".gitignore": "project/gitignore",
    ".github/workflows/tests.yml": "project/tests.yml",
    "pyproject.toml": "project/pyproject.toml",
}

_BACKEND: Final = {
    "README.md": "backend/README.md",
    "src/{package}/__init__.py": "backend/init.py",
    "src/{package}/plugin.py": "backend/plugin.py",
    "tests/test_device.py": "backend/test_device.py",
}

_STYLES: Final = {
    "array-api": {"src/{package}/backend.py": "array_api/backend.py"},
    "from-scratch": {
        f"src/{{package}}/{module}.py": f"from_scratch/{module}.py"
        for module in ("backend", "elementwise", "indexing", "movement", "natives", "reductions")
    },
}

_MODEL: Final = {
    "README.md": "model/README.md",
    "hubconf.py": "model/hubconf.py",
    "src/{package}/__init__.py": "model/init.py",
    "src/{package}/model.py": "model/model.py",
    "src/{package}/plugin.py": "model/plugin.py",
    "src/{package}/weights.py": "model/weights.py",
    "tests/test_model.py": "model/test_model.py",
}

_CONFORMANCE_OPTIONS: Final = """\
addopts = ["-p", "tensorcore_conformance.plugin"]
# The conformance suite runs with the tests, unless files are named.
tensorcore_device = "{device}"
"""

_CONFORMANCE_STEPS: Final = """\
      - run: pytest -n auto --tensorcore-report report
      - if: always()
        uses: actions/upload-artifact@v4
        with:
          name: conformance-${{ matrix.python }}
          path: report"""

_UNTYPED: Final = """\
[[tool.mypy.overrides]]
module = ["{top}.*"]
ignore_missing_imports = true

"""

#: What NumPy is known to fail, in the form in which a backend declares it.
_NUMPY_EXCEPTIONS: Final = """\
    tensorcore_conformance_exceptions = (
        {"op": "sum", "cases": "long/*", "dtypes": ("float32",), "reason": "NumPy adds up rows one by one"},
    )
"""


@dataclass(frozen=True, slots=True)
class Names:
    """What a plugin's name becomes: ``My.Engine`` is the device ``my_engine`` of ``tensorcore-my-engine``.

    Attributes:
        distribution: for installers and the entry point.
        package: for ``import``, and nobody else's.
        identifier: the name as a Python identifier, which devices have.
        title: the name as the beginning of a class's.
    """

    distribution: str
    package: str
    identifier: str
    title: str

    @classmethod
    def of(cls, name: str) -> Names:
        """The names made of what the user wrote.

        Raises:
            UsageError: where it cannot be the name of a distribution (PEP 508), or of a device.
        """
        if not _DISTRIBUTION.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the name of a distribution: letters, digits, '-', '_' and '.', "
                "with a letter or digit at both ends"
            )
        short = re.sub(r"[-_.]+", "-", name).lower().removeprefix("tensorcore-")
        identifier = short.replace("-", "_")
        title = "".join(part[:1].upper() + part[1:] for part in short.split("-"))
        if identifier[:1].isdigit():
            raise UsageError(f"{name!r} cannot be a name in Python: it begins with a digit")
        if keyword.iskeyword(identifier) or keyword.iskeyword(title):
            raise UsageError(f"{name!r} cannot be a name in Python: it is a keyword")
        if len(short) > _LONGEST:
            raise UsageError(f"{name!r} has {len(short)} characters; choose a name of at most {_LONGEST}")
        return cls(f"tensorcore-{short}", f"tensorcore_{identifier}", identifier, title)


def new_backend(
    name: str, *, style: str, namespace: str | None, folder: Path, options: dict[str, str]
) -> dict[str, Any]:
    """Write a backend's project into ``folder`` and return what was made.

    Raises:
        UsageError: for a name that cannot be one, or that a device or an installed package has.
        RuntimeError: where the project's folder exists.
    """
    from tensorcore.backend.contract import CONTRACT_VERSION
    from tensorcore.plugins.host import host

    names = Names.of(name)
    if names.identifier == "diff":
        raise UsageError("'diff' is a word of `tensorcore conformance`, which examines devices; choose another name")
    if names.identifier in host.backends():
        raise UsageError(
            f"there is a device {names.identifier!r} already; see `tensorcore backends`, and choose another name"
        )
    if style == "from-scratch":
        if namespace is not None:
            raise UsageError("--namespace names what --style array-api is made of; from-scratch has kernels of its own")
        top, requirements, engine = "numpy", ["numpy>=2.1"], "NumPy's arrays, each primitive written out"
    else:
        namespace = namespace or _NAMESPACE
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in namespace.split(".")):
            raise UsageError(f"--namespace {namespace!r} is not the name of a module")
        top, engine = namespace.partition(".")[0], f"{namespace} by the Array API standard"
        _examine(namespace, top)
        requirements = (
            ["array-api-compat>=1.11", "numpy>=2.1"] if namespace == _NAMESPACE else _distributions(namespace)
        )
    facts = {
        "keyword": "array API",
        "summary": f"The device {names.identifier} for tensorcore: {engine}",
        "engine": engine,
        "namespace": namespace or "",
        "exceptions": _NUMPY_EXCEPTIONS if namespace == _NAMESPACE else "",
        "requires": _quoted([top, *_wrapped(namespace)]) + ("" if _wrapped(namespace) else ","),
        "requirement": " ".join(requirements) if _wrapped(namespace) else re.split("[<>=]", requirements[0])[0],
        "dependencies": _quoted(["tensorcore-framework", *requirements]),
        "extras": "cli,conformance",
        "contract": str(CONTRACT_VERSION),
        "next_contract": str(CONTRACT_VERSION + 1),
        "pytest_options": _CONFORMANCE_OPTIONS.format(device=names.identifier),
        "mypy_overrides": "" if top == "numpy" else _UNTYPED.format(top=top),
        "ci_steps": _CONFORMANCE_STEPS,
        "device": names.identifier,
    }
    facts["layout"] = render(f"{style.replace('-', '_')}/layout", facts | _of_names(names)).rstrip()
    made = create(names, _PROJECT | _BACKEND | _STYLES[style], facts | options, folder)
    return {"kind": "backend", "device": names.identifier, "style": style} | made


def new_model(name: str, *, folder: Path, options: dict[str, str]) -> dict[str, Any]:
    """Write a model's project into ``folder`` and return what was made.

    Raises:
        UsageError: for a name that cannot be one, or that a model or an installed package has.
        RuntimeError: where the project's folder exists.
    """
    from tensorcore.plugins.host import host

    names = Names.of(name)
    model = names.identifier.replace("_", "-")
    if model in host.models():
        raise UsageError(f"there is a model {model!r} already; see `tensorcore models`, and choose another name")
    summary = "a convolutional classifier of small images"
    facts = {
        "keyword": "model",
        "summary": f"The model {model} for tensorcore: {summary}",
        "summary_rest": summary,
        "name": model,
        "dependencies": _quoted(["tensorcore-framework"]),
        "extras": "cli",
        "pytest_options": "",
        "mypy_overrides": "",
        "ci_steps": f"      - run: pytest -n auto\n      - run: tensorcore train {model} --limit 2000 --epochs 1",
    }
    return {"kind": "model", "model": model} | create(names, _PROJECT | _MODEL, facts | options, folder)


def create(names: Names, templates: dict[str, str], facts: dict[str, str], folder: Path) -> dict[str, Any]:
    """Write the templates under a folder of the distribution's name in ``folder``, all or nothing.

    ``facts`` has ``license`` and ``author`` besides what the templates name; an empty author is Git's user.

    Raises:
        UsageError: where the package or a distribution of its name is installed already.
        RuntimeError: where the folder exists, or nothing can be written beside it.
    """
    target = folder / names.distribution
    if target.exists() or target.is_symlink():
        raise RuntimeError(f"{target} exists; choose another name, or another --directory")
    if find_spec(names.package) is not None:
        raise UsageError(f"a package {names.package!r} is installed already; choose another name")
    if names.distribution in _OWN or _installed(names.distribution):
        raise UsageError(f"there is a distribution {names.distribution!r} already; choose another name")
    facts = facts | _of_names(names) | _of_author(facts["author"], names)
    texts = {path.format(package=names.package): render(template, facts) for path, template in templates.items()}
    texts["LICENSE"] = render(f"licenses/{facts['license']}", facts).lstrip("\n")
    texts[f"src/{names.package}/py.typed"] = ""
    # Beside the target, so that the last step is a rename: what has the project's name is whole.
    draft = folder / f".{names.distribution}.{os.getpid()}"
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise RuntimeError(f"cannot write into {folder}: {error.strerror}; choose another --directory") from error
    try:
        for path, text in texts.items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_text(text, "utf-8")
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return {
        "folder": str(target),
        "distribution": names.distribution,
        "package": names.package,
        "files": sorted(texts),
    }


def render(template: str, facts: dict[str, str]) -> str:
    """A template with each ``{{name}}`` replaced; a name without a fact is a KeyError."""
    text = (files("tensorcore.cli") / "templates" / f"{template}.in").read_text("utf-8")
    return _PLACE.sub(lambda found: facts[found[1]], text)


def show(made: dict[str, Any], as_json: bool) -> None:
    """Print what was made and what to do next."""
    check = "tensorcore backends" if made["kind"] == "backend" else "tensorcore models"
    steps = [f"cd {_shell(made['folder'])}", "pip install --editable '.[dev]'", "pytest", check]
    if as_json:
        print_json(made | {"next": steps})
        return
    what = f"the device {made['device']!r}" if made["kind"] == "backend" else f"the model {made['model']!r}"
    print(f"{made['folder']} is a distribution with {what}:\n")
    print("\n".join(f"  {path}" for path in made["files"]))
    print("\nNext:\n")
    print("\n".join(f"  {step}" for step in steps))


def _of_names(names: Names) -> dict[str, str]:
    return {
        "distribution": names.distribution,
        "package": names.package,
        "identifier": names.identifier,
        "class_name": names.title,
    }


def _of_author(author: str, names: Names) -> dict[str, str]:
    from datetime import date

    author = " ".join(author.split()) or _git_user() or f"the authors of {names.distribution}"
    if not author.isprintable():
        raise UsageError(f"--author {author!r} has characters that cannot be printed")
    # A JSON string is one of TOML too.
    return {"author": author, "quoted_author": json.dumps(author, ensure_ascii=False), "year": str(date.today().year)}


def _git_user() -> str:
    import subprocess

    try:
        done = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return " ".join(done.stdout.split())


def _wrapped(namespace: str | None) -> list[str]:
    """The library that a namespace of array_api_compat stands before, as far as it is not NumPy, which comes along."""
    parts = (namespace or "").split(".")
    return parts[1:2] if parts[0] == "array_api_compat" and parts[1:2] != ["numpy"] else []


def _distributions(namespace: str) -> list[str]:
    return [_distribution_of(each) for each in (namespace.partition(".")[0], *_wrapped(namespace))]


def _examine(namespace: str, top: str) -> None:
    """Refuse a module that is no array namespace, and say so where that cannot be known here."""
    from importlib import import_module

    if find_spec(top) is None:
        warnings.warn(f"{top} is not installed here, and the project's tests need it", UserWarning, stacklevel=3)
        return
    try:
        module = import_module(namespace)
    except ImportError as error:
        raise UsageError(f"--namespace {namespace!r} cannot be imported: {error}") from error
    absent = [name for name in ("asarray", "float32", "permute_dims", "matmul") if not hasattr(module, name)]
    if absent:
        raise UsageError(
            f"--namespace {namespace!r} does not follow the Array API standard: it has no {', '.join(absent)}; "
            "for PyTorch, CuPy and others there is array_api_compat.torch and so on, else take --style from-scratch"
        )


def _installed(distribution: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _distribution_of(module: str) -> str:
    """The installed distribution that brings a module, else the module's name."""
    from importlib.metadata import packages_distributions

    return packages_distributions().get(module, [module.replace("_", "-")])[0]


def _quoted(requirements: list[str]) -> str:
    return ", ".join(f'"{each}"' for each in requirements)


def _shell(path: str) -> str:
    import shlex

    return shlex.quote(path)
