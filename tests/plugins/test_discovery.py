"""Finding plugins: what is broken is reported with its reason, and stops nothing else."""

from __future__ import annotations

import pytest


def test_an_installed_plugin_is_found(site):
    site.backend(version="2.5")
    state = site.run("result = state('bytes')")
    assert state["state"] == "available"
    assert (state["distribution"], state["version"]) == ("bytes-engine", "2.5")


def test_importing_the_host_imports_neither_pluggy_nor_importlib_metadata(site):
    result = site.run("result = sorted({'pluggy', 'importlib.metadata'} & set(sys.modules))")
    assert result == []


def test_registering_is_not_importing(site):
    site.backend()
    before, known, after = site.run("""
        before = 'bytes_engine' in sys.modules
        host.require_known('bytes'), host.states(load=False), host.models(), host.commands(), host.datasets()
        known = 'bytes_engine' in sys.modules
        host.backend('bytes')
        result = [before, known, 'bytes_engine' in sys.modules]
        """)
    assert (before, known, after) == (False, False, True)


#: What goes before a hook implementation.
MARKED = "from tensorcore.plugins import *\n@hookimpl\n"
BACKENDS = f"{MARKED}def tensorcore_backends(): return "


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("import absent_one", "ModuleNotFoundError: No module named 'absent_one'", id="import"),
        pytest.param("def broken(:", "SyntaxError", id="syntax"),
        pytest.param("1 / 0", "ZeroDivisionError: division by zero", id="raises"),
        pytest.param("x = 1", "implements no hook", id="no hook"),
        pytest.param(
            f"{MARKED}def tensorcore_backend(): return []",
            "hook 'tensorcore_backend' that does not exist; did you mean 'tensorcore_backends'?",
            id="misspelt hook",
        ),
        pytest.param(
            f"{MARKED}def on_start(): return []",
            "hook 'on_start' that does not exist; the hooks are tensorcore_backends, ",
            id="unknown hook",
        ),
        pytest.param(
            f"{MARKED}def tensorcore_backends(device): return []",
            "Argument(s) {'device'} are declared in the hookimpl",
            id="hook with a parameter",
        ),
        pytest.param(
            f"{MARKED}def tensorcore_backends(): raise OSError('no disk')",
            "tensorcore_backends() raised OSError: no disk",
            id="hook raises",
        ),
        pytest.param(f"{BACKENDS} None", "expected a list of BackendSpec, got None", id="none"),
        pytest.param(f"{BACKENDS} ['a']", "expected a list of BackendSpec, got one with 'a'", id="no spec"),
        pytest.param(f"{BACKENDS} [BackendSpec('a:1', 'm:f')]", "'a:1' cannot be a name", id="name"),
        pytest.param(f"{BACKENDS} [BackendSpec('a', 'm.f')]", "expected a target 'package.module:name'", id="target"),
        pytest.param(f"{BACKENDS} [BackendSpec('a', 'm:f', requires='numpy')]", "a tuple of import", id="requires"),
        pytest.param(f"{BACKENDS} [BackendSpec('a', 'm:f')] * 2", "the name 'a' is there twice", id="twice"),
        pytest.param(
            "from tensorcore.plugins.host import host\nhost.require_known('cpu')",
            "asked for a device while it was being registered",
            id="device at import",
        ),
    ],
)
def test_a_broken_plugin_is_reported_and_stops_nothing(site, source, reason):
    site.install("broken", {"broken": "broken_module"}, "0.3", broken_module=source)
    site.backend()
    state, loaded, unknown = site.run("""
        result = [state('broken'), host.backend('bytes').name, message(host.require_known, 'other')]
        """)
    assert loaded == "bytes"
    assert state["state"] == "broken plugin"
    assert (state["distribution"], state["version"]) == ("broken", "0.3")
    assert reason in state["reason"]
    # Whoever looks for a device that the broken plugin may have had is told so.
    assert "plugins that did not load: plugin 'broken' (broken 0.3)" in unknown[1]
    assert reason in unknown[1]


def test_a_broken_import_keeps_its_traceback(site):
    site.install("broken", {"broken": "broken_module"}, broken_module="def inner():\n    1 / 0\ninner()\n")
    trace = site.run("result = state('broken')['traceback']")
    assert "broken_module.py" in trace
    assert "in inner" in trace


def test_an_entry_point_to_a_missing_attribute_is_reported(site):
    site.install("broken", {"broken": "broken_module:plugin"}, broken_module="")
    assert "AttributeError" in site.run("result = state('broken')['reason']")


def test_all_or_none_of_a_plugin_is_registered(site):
    source = """
        from tensorcore.plugins import BackendSpec, hookimpl

        @hookimpl
        def tensorcore_backends():
            return [BackendSpec("half", "m:f")]

        @hookimpl
        def tensorcore_models():
            raise RuntimeError("no models today")
        """
    site.install("half", {"half-plugin": "half_plugin"}, half_plugin=source)
    assert site.run("result = 'half' in host.backends()") is False


def test_an_entry_point_name_of_two_distributions_is_reported(site):
    site.backend("first", name="one")
    site.install("second", {"first": "second_module"}, "2.0", second_module="")
    state, known = site.run("result = [state('first'), host.backends()]")
    assert (
        state["reason"] == "the entry point 'first' is in first 1.0 and second 2.0; none is used: uninstall all but one"
    )
    assert "one" not in known


def test_a_backend_name_of_two_plugins_is_a_conflict(site):
    site.backend("first", rest="priority=1000")
    site.backend("second")
    state, error, default = site.run("""
        import warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            default = host.default_backend()
        result = [state('bytes'), message(host.backend, 'bytes'), [default, [str(w.message) for w in caught]]]
        """)
    reason = "the plugins 'first' (first 1.0) and 'second' (second 1.0) both register this name; uninstall one"
    assert (state["state"], state["reason"]) == ("conflict", reason)
    assert error[:2] == ["BackendUnavailableError", f"device 'bytes' is not available: {reason}"]
    assert default[0] != "bytes"
    assert reason in default[1][0]


def test_a_model_name_of_two_plugins_is_an_error_where_it_is_used(site):
    source = """
        from tensorcore.plugins import ModelSpec, hookimpl

        @hookimpl
        def tensorcore_models():
            return [ModelSpec("twin", "fractions:Fraction")]
        """
    site.install("first", {"first": "first_module"}, first_module=source)
    site.install("second", {"second": "second_module"}, second_module=source)
    name, text, _ = site.run("result = message(host.model, 'twin')")
    assert name == "PluginError"
    assert "'first' (first 1.0) and 'second' (second 1.0) both register this name" in text


def test_a_wheel_installed_by_pip_is_found(site, tmp_path):
    import subprocess
    import sys
    import zipfile

    wheel = tmp_path / "dummy-1.2-py3-none-any.whl"
    source = """
from tensorcore.plugins import DatasetSpec, hookimpl

@hookimpl
def tensorcore_datasets():
    return [DatasetSpec("dummy-data", "fractions:Fraction")]
"""
    files = {
        "dummy_plugin.py": source,
        "dummy-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: dummy\nVersion: 1.2\n",
        "dummy-1.2.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "dummy-1.2.dist-info/entry_points.txt": "[tensorcore]\ndummy = dummy_plugin\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, "dummy-1.2.dist-info/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, "dummy-1.2.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(site.folder)]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True, timeout=120)
    assert site.run("result = str(host.dataset('dummy-data')(3, 4))") == "3/4"
