"""``tensorcore new-backend`` and ``new-model``: names, refusals, what is written, and that nothing is half written."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from process import fails, run_in

from tensorcore.backend import CONTRACT_VERSION
from tensorcore.cli import projects
from tensorcore.cli.main import UsageError
from tensorcore.ops.record import REGISTRY

OPTIONS = {"license": "MIT", "author": "Ada"}
TEMPLATES = Path(projects.__file__).parent / "templates"


def backend(folder: Path, name: str = "simple", style: str = "array-api", namespace: str | None = None, **options: str):
    return projects.new_backend(name, style=style, namespace=namespace, folder=folder, options=OPTIONS | options)


def model(folder: Path, name: str = "tiny", **options: str):
    return projects.new_model(name, folder=folder, options=OPTIONS | options)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("given", "distribution", "device", "title"),
    [
        ("simple", "tensorcore-simple", "simple", "Simple"),
        ("My.Engine", "tensorcore-my-engine", "my_engine", "MyEngine"),
        ("tensorcore-simple", "tensorcore-simple", "simple", "Simple"),
        ("tensorcore_simple", "tensorcore-simple", "simple", "Simple"),
        ("a__b--c", "tensorcore-a-b-c", "a_b_c", "ABC"),
        ("X2", "tensorcore-x2", "x2", "X2"),
        ("a" * 32, "tensorcore-" + "a" * 32, "a" * 32, "A" + "a" * 31),
    ],
)
def test_names(given, distribution, device, title):
    names = projects.Names.of(given)
    assert (names.distribution, names.identifier, names.title) == (distribution, device, title)
    assert names.package == f"tensorcore_{device}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "-a",
        "a-",
        ".",
        "a/b",
        "../a",
        "a:1",
        "é",
        "a\n",
        "2d",
        "tensorcore-2d",
        "class",
        "none",
        "a" * 33,
    ],
)
def test_what_cannot_be_a_name_is_refused(tmp_path, name):
    for make in (backend, model):
        with pytest.raises(UsageError, match=r"cannot be|characters"):
            make(tmp_path, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["cpu", "reference", "CPU", "tensorcore-cuda", "array-api-strict"])
def test_the_name_of_a_device_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="there is a device"):
        backend(tmp_path, name)


def test_the_name_of_a_model_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is a model 'classifier' already"):
        model(tmp_path, "classifier")


@pytest.mark.parametrize("make", [backend, model])
@pytest.mark.parametrize("name", ["vision", "conformance", "array-api"])
def test_the_name_of_an_installed_package_is_refused(tmp_path, make, name):
    with pytest.raises(UsageError, match=r"a package 'tensorcore_.*' is installed already"):
        make(tmp_path, name)


@pytest.mark.parametrize("make", [backend, model])
@pytest.mark.parametrize("name", ["framework", "tensorcore-framework"])
def test_the_name_of_a_distribution_is_refused(tmp_path, make, name):
    with pytest.raises(UsageError, match="there is a distribution 'tensorcore-framework' already"):
        make(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_the_name_of_an_installed_distribution_without_such_a_package_is_refused(tmp_path, monkeypatch):
    info = tmp_path / "site" / "tensorcore_taken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tensorcore-taken\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(UsageError, match="there is a distribution 'tensorcore-taken' already"):
        backend(tmp_path, "taken")


def test_a_device_has_not_the_name_of_a_command(tmp_path):
    with pytest.raises(UsageError, match="'diff' is a word of `tensorcore conformance`"):
        backend(tmp_path, "diff")
    assert model(tmp_path, "diff")["model"] == "diff"


# ---------------------------------------------------------------- what is written

MADE = {
    "array-api": lambda folder: backend(folder),
    "from-scratch": lambda folder: backend(folder, style="from-scratch"),
    "model": lambda folder: model(folder),
}


@pytest.fixture(params=sorted(MADE))
def made(request, tmp_path):
    return MADE[request.param](tmp_path)


def test_the_files_are_those_told(made):
    folder = Path(made["folder"])
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == made["files"]
    assert {"LICENSE", "README.md", ".gitignore", ".github/workflows/tests.yml", "pyproject.toml"} <= set(made["files"])
    assert f"src/{made['package']}/py.typed" in made["files"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_nothing_is_left_to_fill_in(made):
    for path in Path(made["folder"]).rglob("*"):
        text = path.read_text("utf-8") if path.is_file() else ""
        assert "{{" not in text.replace("${{", "") and "TODO" not in text
        assert not text or (text.endswith("\n") and not text.endswith("\n\n")), path


def test_the_metadata(made):
    project = tomllib.loads((Path(made["folder"]) / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == made["distribution"]
    assert project["entry-points"] == {"tensorcore": {made["distribution"]: f"{made['package']}.plugin"}}
    assert project["license"] == "MIT" and project["authors"] == [{"name": "Ada"}]
    assert "tensorcore-framework" in project["dependencies"]


def test_a_backend_states_the_contract_it_is_written_for(tmp_path):
    for style in ("array-api", "from-scratch"):
        folder = Path(backend(tmp_path, name=f"a-{style}", style=style)["folder"])
        for path in (*folder.rglob("backend.py"), *folder.rglob("plugin.py")):
            assert f"contract = {CONTRACT_VERSION}" in path.read_text("utf-8").replace("contract=", "contract = ")


def test_a_backend_of_an_array_library_has_at_most_fifteen_lines_of_code(tmp_path):
    (path,) = Path(backend(tmp_path)["folder"]).rglob("backend.py")
    source = path.read_text("utf-8")
    docstrings = [
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, node.end_lineno + 1)
    ]
    code = [line for number, line in enumerate(source.splitlines(), 1) if line.strip() and number not in docstrings]
    assert len(code) <= 15


def test_a_backend_from_scratch_has_the_primitives_and_nothing_else(tmp_path):
    folder = Path(backend(tmp_path, style="from-scratch")["folder"])
    modules = [ast.parse(path.read_text("utf-8")) for path in folder.glob("src/*/*.py")]
    classes = [node for module in modules for node in module.body if isinstance(node, ast.ClassDef)]
    names = {
        name
        for each in classes
        for node in each.body
        for name in ([node.name] if isinstance(node, ast.FunctionDef) else [t.id for t in getattr(node, "targets", [])])
    }
    primitives = {op.name for op in REGISTRY.values() if op.primitive}
    # The contract's own default makes an array of the numbers that the host draws.
    assert primitives - names == {"random_words"}
    assert {name for name in names & set(REGISTRY) if not REGISTRY[name].primitive} == set()
    source = "".join(path.read_text("utf-8") for path in folder.glob("src/*/*.py"))
    assert "ArrayModuleBackend" not in source and "LibraryBackend" not in source


@pytest.mark.parametrize("license", ["Apache-2.0", "MIT", "BSD-3-Clause"])
def test_licenses(tmp_path, license):
    folder = Path(model(tmp_path, license=license, author='Ada "B" C\u00e9')["folder"])
    text = (folder / "LICENSE").read_text("utf-8")
    assert text.lstrip().startswith({"Apache-2.0": "Apache"}.get(license, license.partition("-")[0]))
    assert license == "Apache-2.0" or 'Ada "B" Cé' in text
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == license and project["authors"] == [{"name": 'Ada "B" Cé'}]


def test_an_author_in_braces_stays_as_given(tmp_path):
    assert "{{name}}" in (Path(model(tmp_path, author="{{name}}")["folder"]) / "LICENSE").read_text("utf-8")


def test_an_author_that_cannot_be_printed_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be printed"):
        model(tmp_path, author="a\x07b")


def test_another_namespace(tmp_path):
    pytest.importorskip("array_api_strict")
    folder = Path(backend(tmp_path, namespace="array_api_strict")["folder"])
    source = (folder / "src" / "tensorcore_simple" / "backend.py").read_text("utf-8")
    assert "import array_api_strict as xp" in source and "exceptions" not in source
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert "array_api_strict" in project["dependencies"] or "array-api-strict" in project["dependencies"]


def test_what_a_namespace_stands_before_is_required_as_well(tmp_path):
    pytest.importorskip("array_api_compat.torch")
    folder = Path(backend(tmp_path, namespace="array_api_compat.torch")["folder"])
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["dependencies"] == ["tensorcore-framework", "array-api-compat", "torch"]
    plugin = (folder / "src" / "tensorcore_simple" / "plugin.py").read_text("utf-8")
    assert 'requires=("array_api_compat", "torch"),' in plugin and "pip install array-api-compat torch" in plugin


def test_a_namespace_that_is_not_installed_is_told(tmp_path):
    with pytest.warns(UserWarning, match="absent_arrays is not installed here"):
        made = backend(tmp_path, namespace="absent_arrays.numpy")
    project = tomllib.loads((Path(made["folder"]) / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["dependencies"] == ["tensorcore-framework", "absent-arrays"]


@pytest.mark.parametrize("namespace", ["", "a b", "a..b", "1a", "a.class", "a;import os"])
def test_what_is_no_module_is_refused(tmp_path, namespace):
    if namespace:
        with pytest.raises(UsageError, match="not the name of a module"):
            backend(tmp_path, namespace=namespace)
    with pytest.raises(UsageError, match="kernels of its own"):
        backend(tmp_path, style="from-scratch", namespace=namespace)


@pytest.mark.parametrize(
    ("namespace", "message"),
    [
        ("math", "'math' does not follow the Array API standard: it has no asarray, float32, permute_dims, matmul"),
        ("numpy.absent", "'numpy.absent' cannot be imported: No module named 'numpy.absent'"),
        ("json.decoder.JSONDecoder", "cannot be imported: .* not a package"),
    ],
)
def test_what_is_no_array_namespace_is_refused(tmp_path, namespace, message):
    with pytest.raises(UsageError, match=message):
        backend(tmp_path, namespace=namespace)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- whole or not at all


@pytest.mark.parametrize("make", [backend, model])
def test_a_folder_that_cannot_be_written_into_is_named(tmp_path, make):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "sub"):
        with pytest.raises(RuntimeError, match=f"cannot write into {folder}: .*; choose another --directory"):
            make(folder)


@pytest.mark.parametrize("make", [backend, model])
@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_left_alone(tmp_path, make, kind):
    for target in (tmp_path / "tensorcore-simple", tmp_path / "tensorcore-tiny"):
        if kind == "link":
            target.symlink_to("nowhere")
        else:
            {"folder": target.mkdir, "file": target.touch}[kind]()
    with pytest.raises(RuntimeError, match="exists; choose another name, or another --directory"):
        make(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2 and not [*tmp_path.glob("*/*")]


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    written = []

    def write(path, *arguments):
        written.append(path)
        if len(written) == 4:
            raise OSError(28, "No space left on device", str(path))
        return os.fspath(path)

    monkeypatch.setattr(Path, "write_text", write)
    with pytest.raises(OSError, match="No space"):
        backend(tmp_path)
    assert len(written) == 4 and not list(tmp_path.iterdir())


def test_folders_on_the_way_are_made(tmp_path):
    assert Path(backend(tmp_path / "a" / "b")["folder"]) == tmp_path / "a" / "b" / "tensorcore-simple"


@pytest.mark.skipif(not hasattr(os, "umask"), reason="permissions of POSIX")
def test_the_folder_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "other").mkdir()
    assert Path(backend(tmp_path)["folder"]).stat().st_mode == (tmp_path / "other").stat().st_mode


# ---------------------------------------------------------------- the commands


def test_what_a_user_sees(tmp_path):
    done = run_in(tmp_path, "new-backend", "simple", "--directory", "my src")
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.startswith("my src/tensorcore-simple is a distribution with the device 'simple':\n")
    assert "\n  cd 'my src/tensorcore-simple'\n" in done.stdout
    again = fails(run_in(tmp_path, "new-backend", "simple", "--directory", "my src"), 1)
    assert again == "tensorcore: my src/tensorcore-simple exists; choose another name, or another --directory\n"


def test_json(tmp_path):
    done = run_in(tmp_path, "new-model", "tiny-net", "--json", "--license", "BSD-3-Clause", "--author", "Ada")
    found = json.loads(done.stdout)
    assert (found["kind"], found["model"], found["distribution"]) == ("model", "tiny-net", "tensorcore-tiny-net")
    assert found["next"][0] == "cd tensorcore-tiny-net" and "hubconf.py" in found["files"]
    assert "Ada" in (tmp_path / "tensorcore-tiny-net" / "LICENSE").read_text("utf-8")
    found = json.loads(run_in(tmp_path, "new-backend", "simple", "--style", "from-scratch", "--json").stdout)
    assert (found["device"], found["style"]) == ("simple", "from-scratch")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["new-backend"], "missing argument 'name'"),
        (["new-model"], "missing argument 'name'"),
        (["new-backend", "cpu"], "there is a device 'cpu' already"),
        (["new-backend", "a b"], "cannot be the name of a distribution"),
        (["new-backend", "a", "--style", "jax"], "invalid value for '--style'"),
        (["new-model", "a", "--license", "GPL"], "invalid value for '--license'"),
    ],
)
def test_wrong_usage(tmp_path, words, message):
    assert message in fails(run_in(tmp_path, *words), 2).lower()
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- the templates themselves


def test_every_template_is_used():
    used = {*projects._PROJECT.values(), *projects._BACKEND.values(), *projects._MODEL.values()}
    used |= {template for style in projects._STYLES.values() for template in style.values()}
    used |= {f"licenses/{name}" for name in ("Apache-2.0", "MIT", "BSD-3-Clause")}
    used |= {f"{style.replace('-', '_')}/layout" for style in projects._STYLES}
    there = {path.relative_to(TEMPLATES).with_suffix("").as_posix() for path in TEMPLATES.rglob("*") if path.is_file()}
    assert there == used


def test_wheels_have_the_templates():
    wheel = pytest.importorskip("hatchling.builders.wheel")
    root = Path(__file__).resolve().parents[2]
    packed = {each.distribution_path for each in wheel.WheelBuilder(str(root)).recurse_included_files()}
    assert {
        f"tensorcore/cli/templates/{p.relative_to(TEMPLATES).as_posix()}" for p in TEMPLATES.rglob("*.in")
    } <= packed
    assert "tensorcore_array_api/py.typed" in packed


@pytest.mark.parametrize("name", ["x", "a" * 32, "-".join("abcdefghijklmnop")])
def test_the_code_is_formatted_and_clean_whatever_the_name(tmp_path, name):
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        pytest.skip("needs ruff")
    made = [backend(tmp_path / "1", name), backend(tmp_path / "2", name, "from-scratch"), model(tmp_path / "3", name)]
    for words in (["check"], ["format", "--check"]):
        for project in made:
            done = subprocess.run(
                [ruff, *words, "."], cwd=project["folder"], capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_code_is_typed(tmp_path):
    pytest.importorskip("mypy")
    made = [backend(tmp_path, "first"), backend(tmp_path, "second", "from-scratch"), model(tmp_path, "third")]
    # The settings of one: those of the others differ in what they ignore.
    shutil.copy(Path(made[0]["folder"]) / "pyproject.toml", tmp_path)
    sources = [f"{project['folder']}/src" for project in made]
    root = Path(projects.__file__).resolve().parents[2]
    path = os.pathsep.join([*sources, str(root), str(root / "backends")])
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", *sources]
    environ = {**os.environ, "MYPYPATH": path, "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
