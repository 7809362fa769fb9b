"""Loading backends: lazy, once, and with the reason kept where it fails."""

from __future__ import annotations

import pytest

#: A backend module to which a test adds a line of the class.
BACKEND = "from bytes_base import Base\n\nclass Bytes(Base):\n    "


def test_a_backend_is_made_once_by_many_threads(site):
    site.backend(
        source="""
        import time
        from bytes_base import Base

        made = []

        class Bytes(Base):
            def __init__(self):
                time.sleep(0.05)
                made.append(self)
        """
    )
    same, made = site.run("""
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier
        barrier = Barrier(8)
        def load(_):
            barrier.wait()
            return host.backend('bytes')
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(load, range(8)))
        import bytes_engine
        result = [len(set(map(id, found))), len(bytes_engine.made)]
        """)
    assert (same, made) == (1, 1)


def test_an_unknown_device_lists_the_known_ones_and_why_each_is_off(site):
    site.backend("first", name="first")
    site.backend("second", name="second", rest="requires=('absent_library',), install='pip install absent'")
    site.backend("third", name="third", rest="contract=99")
    name, text, _ = site.run("result = message(host.backend, 'nowhere')")
    assert name == "DeviceError"
    assert text.startswith("unknown device 'nowhere'; available: ")
    assert "first" in text.partition("known but not available")[0]
    assert "second (absent_library is not installed; to install: pip install absent)" in text
    assert "third (plugin 'third' (third 1.0) is written for version 99 of the backend contract" in text


def test_a_misspelt_device_gets_a_suggestion(site):
    site.backend()
    assert "unknown device 'byte' (did you mean 'bytes'?)" in site.run("result = message(host.backend, 'byte')")[1]


def test_a_missing_requirement_is_the_reason(site):
    site.backend(rest="requires=('json', 'absent_one', 'absent_two'), install='pip install both'")
    reason = "absent_one and absent_two are not installed; to install: pip install both"
    error, state, known = site.run("""
        result = [message(host.backend, 'bytes'), state('bytes'), host.require_known('bytes')]
        """)
    assert error[:2] == ["BackendUnavailableError", f"device 'bytes' is not available: {reason}"]
    assert (state["state"], state["reason"], known) == ("unavailable", reason, None)


@pytest.mark.parametrize(
    ("source", "reason", "cause"),
    [
        ("def Bytes(): raise OSError('no such accelerator')", "raised OSError: no such accelerator", "OSError"),
        ("import absent_driver", "No module named 'absent_driver'; to install what it needs: pip install it", None),
        ("x = 1", "has no attribute 'Bytes'", "AttributeError"),
        ("Bytes = dict", "made a dict, expected a tensorcore.backend.Backend", "PluginError"),
        ("from tensorcore.backend import Backend as Bytes", "Can't instantiate abstract class Backend", "TypeError"),
        (BACKEND + "name = 'bits'", "made a backend named 'bits'", None),
        ("import sys\nsys.exit('needs a licence')", "raised SystemExit: needs a licence", "SystemExit"),
        (
            "class Odd(Exception):\n    def __str__(self): raise OSError\ndef Bytes(): raise Odd",
            "raised Odd: (its text cannot be made: OSError)",
            "Odd",
        ),
        (BACKEND + "def device_count(self): return 'two'", "device_count() returned 'two', expected the number", None),
        (BACKEND + "def device_count(self): return 10**9", "device_count() returned 1000000000, expected", None),
        (
            BACKEND + "def capabilities(self, index): 1 / 0",
            "capabilities(0) raised ZeroDivisionError: division by",
            None,
        ),
        (BACKEND + "def capabilities(self, index): return {}", "capabilities(0) returned a dict, expected", None),
        (
            "from tensorcore.backend import Capabilities\n"
            + BACKEND
            + "def capabilities(self, index): return Capabilities(dtypes=['float32'])",
            "capabilities(0).dtypes is ['float32'], expected a frozenset of tensorcore.DType",
            None,
        ),
        (
            "from tensorcore.errors import BackendUnavailableError\n"
            "def Bytes(): raise BackendUnavailableError('the driver is older than 12.8')",
            "device 'bytes' is not available: the driver is older than 12.8",
            "BackendUnavailableError",
        ),
        (
            "from tensorcore.plugins.host import host\ndef Bytes(): return host.backend('bytes')",
            "asks for its own device while it is being loaded",
            "PluginError",
        ),
    ],
)
def test_a_backend_that_cannot_be_made_keeps_its_reason(site, source, reason, cause):
    site.backend(source=source, rest="install='pip install it', priority=1000")
    first, second, state, default = site.run("""
        import warnings
        first, second = message(host.backend, 'bytes'), message(host.backend, 'bytes')
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            default = host.default_backend()
        result = [first, second, state('bytes'), default]
        """)
    assert first == second
    assert first[0] == "BackendUnavailableError"
    assert reason in first[1]
    if cause is not None:
        assert first[2] == cause
    assert state["state"] == "failed"
    assert "Traceback (most recent call last)" in state["traceback"]
    assert default != "bytes"


def test_the_available_backend_of_highest_priority_is_the_default(site):
    site.backend("first", name="first", rest="requires=('absent_library',), priority=2000")
    site.backend(rest="priority=1000")
    assert site.run("result = host.default_backend()") == "bytes"


def test_passing_over_a_backend_that_fails_warns(site):
    site.backend(source="1 / 0", rest="priority=1000")
    result = site.run("""
        import warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            host.default_backend()
        result = [[w.category.__name__, str(w.message)] for w in caught]
        """)
    assert result == [
        [
            "RuntimeWarning",
            "device 'bytes' is not available: loading 'bytes_engine:Bytes' raised ZeroDivisionError: division by zero; "
            "another device becomes the default",
        ]
    ]


def test_states_name_the_devices_of_what_is_loaded(site):
    site.backend()
    before, after = site.run("result = [state('bytes'), state('bytes', load=True)]")
    assert (before["state"], before["devices"]) == ("available", [])
    assert (after["state"], after["devices"]) == ("loaded", ["bytes"])


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        ("return 0", "it finds no device on this machine"),
        ("raise OSError('driver gone')", "loading 'bytes_engine:Bytes' raised OSError: driver gone"),
    ],
)
def test_a_backend_without_devices_is_not_available(site, count, reason):
    site.backend(source=BACKEND + f"def device_count(self): {count}", rest="priority=1000")
    state, default = site.run("""
        import warnings
        warnings.simplefilter("ignore")
        result = [state('bytes', load=True), host.default_backend()]
        """)
    assert (state["state"], state["reason"], state["devices"]) == ("failed", reason, [])
    assert default != "bytes"


def test_states_name_several_devices(site):
    site.backend(source=BACKEND + "def device_count(self): return 2")
    assert site.run("result = state('bytes', load=True)['devices']") == ["bytes:0", "bytes:1"]


def test_an_argument_goes_to_the_target(site):
    source = BACKEND + "def __init__(self, argument): self.name = argument\n"
    site.backend(source=source, rest="argument='bytes'")
    assert site.run("result = host.backend('bytes').name") == "bytes"


def test_a_device_is_made_without_importing_its_backend(site):
    site.backend()
    text, imported, numpy, index = site.run("""
        from tensorcore.devices import Device
        device = Device("bytes:0")
        result = [str(device), 'bytes_engine' in sys.modules, 'numpy' in sys.modules, message(Device, "bytez")]
        """)
    assert (text, imported, numpy) == ("bytes:0", False, False)
    assert index[0] == "DeviceError"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("host.model, 'absent'", "unknown model 'absent'; known: "),
        ("host.dataset, 'absent'", "unknown data set 'absent'; known: "),
        ("host.command, 'absent'", "unknown command 'absent'; known: "),
        ("host.model, 'needy'", "model 'needy' is not available: absent_library is not installed"),
        (
            "host.model, 'lost'",
            "model 'lost' of 'models' (models 1.0): loading 'no_module:f' raised ModuleNotFoundError",
        ),
        ("host.unregister, 'absent'", "no plugin 'absent' is registered"),
        ("host.register, object(), 'models'", "a plugin 'models' is registered already"),
        ("host.register, object(), 'bare'", "it implements no hook"),
    ],
)
def test_what_cannot_be_had_is_a_plugin_error(site, call, reason):
    source = """
        from tensorcore.plugins import ModelSpec, hookimpl

        @hookimpl
        def tensorcore_models():
            return [ModelSpec("needy", "m:f", requires=("absent_library",)), ModelSpec("lost", "no_module:f")]
        """
    site.install("models", {"models": "models_plugin"}, models_plugin=source)
    name, text, _ = site.run(f"result = message({call})")
    assert name == "PluginError"
    assert reason in text


def test_a_plugin_registered_by_hand_comes_and_goes(site):
    site.backend("other", name="other")
    result = site.run("""
        from tensorcore.plugins import BackendSpec, hookimpl
        class Plugin:
            @hookimpl
            def tensorcore_backends(self):
                return [BackendSpec("bytes", "bytes_engine:Bytes")]
        host.register(Plugin(), "mine")
        result = [host.backend("bytes").name, state("bytes")["distribution"]]
        host.unregister("mine")
        result += message(host.backend, "bytes")
        host.register(Plugin(), "mine")
        result += [host.backend("bytes").name]
        """)
    assert result[:3] == ["bytes", "", "DeviceError"]
    assert result[-1] == "bytes"


def test_another_backend_can_take_a_name_that_became_free(site):
    site.backend("other", name="other", source=BACKEND + "host_memory = False")
    result = site.run("""
        import tensorcore as tc
        from tensorcore.plugins import BackendSpec, hookimpl
        class Plugin:
            def __init__(self, target):
                self.target = target
            @hookimpl
            def tensorcore_backends(self):
                return [BackendSpec("bytes", self.target)]
        result = []
        for target in ("bytes_base:Base", "bytes_engine:Bytes"):
            host.register(Plugin(target), "mine")
            result += [type(tc.device("bytes").kind(tc.float32).backend).__name__]
            host.unregister("mine")
        """)
    assert result == ["Base", "Bytes"]


def test_a_plugin_registered_by_hand_cannot_take_a_name(site):
    site.backend()
    name, text, _ = site.run("""
        from tensorcore.plugins import BackendSpec, hookimpl
        class Plugin:
            @hookimpl
            def tensorcore_backends(self):
                return [BackendSpec("bytes", "bytes_base:Base")]
        result = message(host.register, Plugin(), "mine")
        host.backend("bytes")
        """)
    assert name == "PluginError"
    assert text == "tensorcore_backends: the name 'bytes' is taken by the plugin 'bytes-engine' (bytes-engine 1.0)"


def test_whether_a_backend_is_loaded_can_be_asked_without_loading_it(site):
    site.backend()
    result = site.run("""
        before = host.loaded("bytes") is None and "bytes_engine" not in sys.modules
        result = [before, host.backend("bytes") is host.loaded("bytes"), host.loaded("absent") is None]
        """)
    assert result == [True, True, True]
