"""Real distributions, made on the spot, and a Python that sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

#: A backend that holds bytes: enough for the host, which only loads it and asks for its devices.
BASE = """
from tensorcore.backend import Backend, Capabilities

class Base(Backend):
    name = "bytes"
    array_type = bytearray

    def capabilities(self, index):
        return Capabilities()

    def dtype_of(self, array):
        from tensorcore.dtypes import uint8
        return uint8

    def from_host(self, data, dtype, shape, index):
        return bytearray(data)

    def to_host(self, array):
        return memoryview(array)

    def assign(self, target, source):
        target[:] = source
        return target
"""


class Site:
    """A folder of installed distributions, and a Python that finds them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, distribution: str, entry_points: dict[str, str], version: str = "1.0", **modules: str) -> None:
        """Write what an installer writes: modules and the ``.dist-info`` with metadata and entry points."""
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        points = "".join(f"{name} = {value}\n" for name, value in entry_points.items())
        (info / "entry_points.txt").write_text(f"[tensorcore]\n{points}")
        for name, source in modules.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(source))

    def backend(
        self,
        distribution: str = "bytes-engine",
        *,
        name: str = "bytes",
        target: str = "bytes_engine:Bytes",
        rest: str = "",
        source: str = "from bytes_base import Base as Bytes",
        version: str = "1.0",
    ) -> None:
        """Install a distribution with one backend.

        ``source`` is its module, which may import ``bytes_base``; ``rest`` is further arguments of its spec.
        """
        module = distribution.replace("-", "_") + "_plugin"
        registering = f"""
            from tensorcore.plugins import BackendSpec, hookimpl

            @hookimpl
            def tensorcore_backends():
                return [BackendSpec("{name}", "{target}", {rest})]
            """
        self.install(distribution, {distribution: module}, version, **{module: registering, "bytes_engine": source})
        (self.folder / "bytes_base.py").write_text(BASE)

    def run(self, code: str) -> Any:
        """What ``code`` leaves in ``result``, after running where the distributions are installed."""
        program = (
            "import json, sys\n"
            "from tensorcore.plugins.host import host\n"
            "from tensorcore.errors import *\n"
            "def message(call, *args):\n"
            "    try:\n"
            "        call(*args)\n"
            "    except Exception as error:\n"
            "        return [type(error).__name__, str(error), type(error.__cause__).__name__]\n"
            "    raise SystemExit('nothing was raised')\n"
            "def state(name, load=False):\n"
            "    (found,) = [s for s in host.states(load=load) if s.name == name]\n"
            "    return {field: getattr(found, field) for field in found.__slots__}\n"
            + textwrap.dedent(code)
            + "\nprint(json.dumps(result))\n"
        )
        # The path of this process, so that it works installed, editable or from a source tree alike.
        path = os.pathsep.join([str(self.folder), *(entry for entry in sys.path if entry)])
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            env={**os.environ, "PYTHONPATH": path},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder of distributions."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)
