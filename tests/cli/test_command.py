"""The command itself: help, versions, exit codes, plugins' commands, and a missing extra."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from process import environment, fails

import tensorcore as tc

COMMANDS = [
    "quickstart",
    "train",
    "predict",
    "profile",
    "backends",
    "models",
    "datasets",
    "info",
    "new-backend",
    "new-model",
]


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_entry_point_is_the_command():
    (point,) = entry_points(group="console_scripts", name="tensorcore")
    assert point.value == "tensorcore.cli.main:main"


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(tensorcore, words):
    done = tensorcore(*words)
    assert done.returncode == 0 and not done.stderr
    for command in COMMANDS:
        assert f" {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(tensorcore, command):
    done = tensorcore(command, "--help")
    assert done.returncode == 0 and f"tensorcore {command}" in done.stdout


def test_version(tensorcore):
    assert tensorcore("--version").stdout == f"tensorcore {tc.__version__}\n"


def test_help_imports_nothing_heavy(tmp_path):
    done = python(
        """
        import sys
        from tensorcore.cli.main import main
        assert main(["--help"]) == 0
        print("loaded", *sys.modules)
        """,
        tmp_path,
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & {"numpy", "PIL", "matplotlib", "torch", "jax", "tensorcore.nn", "tensorcore.cli.train"}


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_it_says_what_to_install(tmp_path, missing):
    done = python(
        f"""
        import sys
        sys.modules[{missing!r}] = None
        from tensorcore.cli.main import main
        sys.exit(main(["models"]))
        """,
        tmp_path,
    )
    assert "pip install 'tensorcore-framework[cli]'" in fails(done, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tarin"], "no such command 'tarin'"),
        (["train"], "missing argument 'model'"),
        (["train", "classifier", "--epoch", "3"], "no such option"),
        (["train", "classifier", "--epochs", "0"], "invalid value for '--epochs'"),
        (["train", "classifier", "--epochs", "many"], "valid integer"),
        (["train", "classifier", "--batch-size", "-1"], "invalid value for '--batch-size'"),
        (["train", "classifier", "--schedule", "cosine"], "cosine"),
        (["models", "extra"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_one_line(tensorcore, words, message):
    # The wording is typer's and changes with its releases.
    stderr = fails(tensorcore(*words), 2)
    assert message in stderr.lower() and "--help`" in stderr


def test_traceback_is_shown_when_asked_for(tensorcore):
    done = tensorcore("predict", "none.safetensors", "none.png", "--traceback")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback") and "FileNotFoundError" in done.stderr


def test_a_reader_that_leaves_is_no_failure_to_shout_about(tmp_path):
    done = subprocess.run(
        f"{sys.executable} -m tensorcore.cli info --json | head -c 1",
        shell=True,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "{" and not done.stderr


# Commands of plugins


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """An installed distribution with three commands: one that works, one that fails, one that cannot be imported."""
    folder = tmp_path / "site"
    info = folder / "greeter-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tensorcore]\ngreeter = greeter_plugin\n")
    (folder / "greeter_plugin.py").write_text(
        textwrap.dedent("""
        from tensorcore.plugins import CommandSpec, hookimpl

        @hookimpl
        def tensorcore_commands():
            return [
                CommandSpec("greet", "greeter:greet", "Greet somebody."),
                CommandSpec("lost", "greeter_that_is_not_there:lost", "Never found."),
                CommandSpec("tools", "greeter:tools", "Commands of its own."),
                CommandSpec("models", "greeter:greet", "A name that is taken."),
            ]
        """)
    )
    (folder / "greeter.py").write_text(
        textwrap.dedent("""
        import typer
        print("imported")
        tools = typer.Typer()

        def greet(name: str, loud: bool = False):
            if name == "nobody":
                raise ValueError("nobody\\nis there")
            print(name.upper() if loud else name)

        tools.command("one")(greet)
        tools.command("two")(greet)
        """)
    )
    return folder


def test_a_plugins_command_is_listed_without_importing_it(tensorcore, plugin):
    done = tensorcore("--help", path=(plugin,))
    assert "Greet somebody." in done.stdout and "Never found." in done.stdout
    assert "imported" not in done.stdout and "taken" not in done.stdout


def test_a_plugins_command_runs(tensorcore, plugin):
    assert tensorcore("greet", "ada", "--loud", path=(plugin,)).stdout == "imported\nADA\n"
    assert "Greet somebody." in tensorcore("greet", "--help", path=(plugin,)).stdout
    assert "missing argument 'name'" in fails(tensorcore("greet", path=(plugin,)), 2).lower()
    assert tensorcore("tools", "two", "ada", path=(plugin,)).stdout == "imported\nada\n"


def test_a_plugins_command_that_fails(tensorcore, plugin):
    message = fails(tensorcore("greet", "nobody", path=(plugin,)), 1)
    assert message == "tensorcore: ValueError: nobody is there (--traceback shows where)\n"
    assert "greeter_that_is_not_there" in fails(tensorcore("lost", path=(plugin,)), 1)


def test_a_built_in_command_keeps_its_name(tensorcore, plugin):
    done = tensorcore("models", "--json", path=(plugin,))
    assert json.loads(done.stdout)[0]["name"] == "classifier"


def test_a_broken_plugin_does_not_stop_the_command(tensorcore, plugin):
    (plugin / "greeter_plugin.py").write_text("import nothing_of_that_name")
    assert "quickstart" in tensorcore("--help", path=(plugin,)).stdout
    states = json.loads(tensorcore("backends", "--json", path=(plugin,)).stdout)
    (broken,) = [state for state in states if state["state"] == "broken plugin"]
    assert broken["name"] == "greeter" and "nothing_of_that_name" in broken["reason"]
    assert "Traceback" in tensorcore("backends", "--verbose", path=(plugin,)).stdout
    plugins = json.loads(tensorcore("info", "--json", path=(plugin,)).stdout)["plugins"]
    assert [each["problem"] for each in plugins if each["name"] == "greeter"] == [broken["reason"]]
    assert "nothing_of_that_name" in fails(tensorcore("train", "nonsense", path=(plugin,)), 2)
