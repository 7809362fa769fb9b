"""The guide to devices made of array libraries: another library becomes a device as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "array-api-devices.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
PYTHON = [text for language, text in BLOCKS if language == "python"]


def printed_and_promised(site, program):
    printed = site.run(f"""
import io, contextlib
with contextlib.redirect_stdout(io.StringIO()) as output:
    exec({program!r})
result = output.getvalue().strip()
""")
    return printed, re.search(r"print\(.*?\)  # (.*)", program)[1]


def test_an_installed_library_is_a_device(site):
    pytest.importorskip("jax")
    printed, promised = printed_and_promised(site, PYTHON[0])
    assert printed == promised


def test_another_library_becomes_a_device(site):
    plugin, program = PYTHON[1:3]
    module = re.match(r"# (\w+)\.py\n", plugin)[1]
    (entry_point,) = [text for language, text in BLOCKS if language == "toml"]
    name, value = re.search(r'^(\S+) = "(\S+)"$', entry_point, re.MULTILINE).groups()
    site.install("compat-numpy", {name: value}, **{module: plugin})
    printed, promised = printed_and_promised(site, program)
    assert printed == promised


def test_a_library_of_immutable_arrays_becomes_a_device(site):
    site.install("frozen-arrays", {"frozen-arrays": "frozen_plugin"}, frozen_plugin="""
        from tensorcore.plugins import BackendSpec, hookimpl

        @hookimpl
        def tensorcore_backends():
            return [BackendSpec("frozen", "frozen:make")]
        """, frozen="""
        import array_api_strict
        from tensorcore_array_api.backend import LibraryBackend

        def make():
            return LibraryBackend("frozen", array_api_strict, mutable=False)
        """)  # fmt: skip
    shown = site.run("""
import tensorcore as tc
x = tc.arange(6.0, device="frozen").reshape(2, 3)
x[1, ::2] += 10
x[x == 1] = 9
x[tc.tensor([0, 0], device="frozen"), 0] = tc.tensor([5.0, 6.0], device="frozen")
table = tc.zeros(3, device="frozen").scatter_add(0, tc.tensor([2, 0, 2, 2], device="frozen"), x.flatten()[2:])
result = [x.tolist(), table.tolist()]
""")
    assert shown == [[[6.0, 9.0, 2.0], [13.0, 4.0, 15.0]], [13.0, 0.0, 21.0]]
