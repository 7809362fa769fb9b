"""The guide for authors of backends, followed to the letter."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "write-a-backend.md"


def test_the_guide_leads_to_a_working_device(site):
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    package = site.folder / "tensorcore_simple"
    package.mkdir()
    (package / "__init__.py").touch()
    python = [text for language, text in blocks if language == "python"]
    for text in python[:2]:
        name = re.match(r"# (tensorcore_simple/\w+\.py)\n", text)[1]
        (site.folder / name).write_text(text)
    (entry_point,) = [text for language, text in blocks if language == "toml"]
    name, value = re.search(r'^(\S+) = "(\S+)"$', entry_point, re.MULTILINE).groups()
    site.install("tensorcore-simple", {name: value})
    program = python[2]
    expected = re.search(r"print\(x\.grad\)  # (.*)", program)[1]
    trial = python[3]
    shown, state, printed = site.run(f"""
import io, contextlib
with contextlib.redirect_stdout(io.StringIO()) as output:
    exec({program!r})
exec({trial!r})
host.register(Plugin(), "trial")
import tensorcore as tc
result = [output.getvalue().strip(), state("simple", load=True), str(tc.ones(2, device="trial"))]
""")
    assert shown == expected
    assert (state["state"], state["devices"]) == ("loaded", ["simple"])
    assert printed == "tensor([1., 1.], device='trial')"
