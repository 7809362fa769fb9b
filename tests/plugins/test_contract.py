"""The versions of the backend contract: this one and the one before are loaded, the one before with notice."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

from tensorcore.backend import CONTRACT_CHANGES, CONTRACT_VERSION, Backend
from tensorcore.ops.record import REGISTRY
from tensorcore_reference.backend import ReferenceBackend

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guides" / "write-a-backend.md"

#: A later tensorcore, whose contract has changed twice since the first.
LATER = """
import warnings
from tensorcore.backend import contract
contract.CONTRACT_VERSION = 3
contract.CONTRACT_CHANGES.update({2: "kernels sing", 3: "kernels dance"})
"""

#: The device asked for, with what was warned of.
ASKED = """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        found = host.backend("bytes").contract
    except BackendUnavailableError as error:
        found = str(error)
told = [[each.category.__name__, str(each.message)] for each in caught]
"""


@pytest.fixture(params=["spec", "class"])
def declared(site, request):
    """Installs a backend that declares a version of the contract, in its spec or its class."""

    def install(version: int) -> None:
        inside = f"contract = {version}"
        if request.param == "spec":
            source = "from bytes_base import Base\n\nclass Bytes(Base):\n    contract = 3"
            site.backend(rest=inside.replace(" ", ""), source=source)
        else:
            source = f"from bytes_base import Base\n\nclass Bytes(Base):\n    {inside}"
            site.backend(rest="contract=3", source=source)
        return request.param

    return install


def test_this_version_loads_without_a_word(site, declared):
    declared(3)
    assert site.run(f"{LATER}{ASKED}\nresult = [found, told, state('bytes')['notice']]") == [3, [], ""]


def test_the_version_before_loads_and_names_what_changed(site, declared):
    where = declared(2)
    found, told, again, state, computed = site.run(f"""{LATER}{ASKED}
first = told
{ASKED}
import tensorcore as tc
result = [found, first, told, state("bytes"), str(tc.device("bytes"))]
""")
    assert found == (3 if where == "spec" else 2) and computed == "bytes"
    ((category, message),) = told
    assert category == "DeprecationWarning" and again == []
    assert message == (
        "plugin 'bytes-engine' (bytes-engine 1.0) is written for version 2 of the backend contract, which the next "
        "version will refuse; adapt it to version 3: kernels dance"
    )
    assert (state["state"], state["reason"], state["notice"]) == ("loaded", "", message)


def test_the_listing_has_the_notice_in_place_of_the_warning(site, declared):
    declared(2)
    state, again = site.run(f"{LATER}\nresult = [state('bytes', load=True), state('bytes')]")
    assert state == again and "kernels dance" in state["notice"]


@pytest.mark.parametrize(("version", "advice"), [(1, "upgrade the plugin"), (4, "upgrade tensorcore-framework")])
def test_other_versions_are_refused(site, declared, version, advice):
    where = declared(version)
    found, told, state, imported = site.run(
        f"{LATER}{ASKED}\nresult = [found, told, state('bytes'), 'bytes_engine' in sys.modules]"
    )
    reason = (
        f"plugin 'bytes-engine' (bytes-engine 1.0) is written for version {version} of the backend contract, and this "
        f"tensorcore accepts 3 and 2; {advice}"
    )
    assert reason in found and reason in state["reason"] and not told
    assert state["state"] == ("incompatible" if where == "spec" else "failed")
    assert imported is (where == "class")


@pytest.mark.parametrize("version", [CONTRACT_VERSION - 2, CONTRACT_VERSION + 1, "1", None, 1.5])
def test_what_is_no_version_of_this_tensorcore_is_refused(site, version):
    site.backend(rest=f"contract={version!r}")
    error = site.run("result = message(host.backend, 'bytes')")
    assert error[0] == "BackendUnavailableError" and f"for version {version!r} of the backend contract" in error[1]


def test_each_version_says_what_it_changed():
    assert list(CONTRACT_CHANGES) == list(range(1, CONTRACT_VERSION + 1))
    section = GUIDE.read_text("utf-8").partition("## The contract's version")[2]
    table = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", section, re.MULTILINE))
    assert {int(version): change for version, change in table.items()} == CONTRACT_CHANGES


def surface() -> dict[str, object]:
    """What backends of this version are written against: what they must have, may override, and are called with."""
    methods = {
        name: [parameter.name for parameter in inspect.signature(method).parameters.values()]
        for name, method in vars(Backend).items()
        if inspect.isfunction(method)
    }
    return {
        "abstract": sorted(Backend.__abstractmethods__),
        "methods": methods,
        # The reference backend is what says how the kernels of the primitives are called.
        "primitives": {
            op.name: list(inspect.signature(getattr(ReferenceBackend, op.name)).parameters)
            for op in REGISTRY.values()
            if op.primitive
        },
    }


def test_what_backends_rely_on_has_not_changed_within_a_version():
    kept = json.loads((Path(__file__).parent / f"contract_{CONTRACT_VERSION}.json").read_text("utf-8"))
    now = surface()
    broken = (
        "this breaks existing backends: raise CONTRACT_VERSION, say how in CONTRACT_CHANGES and the guide, and keep it"
    )
    assert now["abstract"] == kept["abstract"], broken
    assert now["primitives"] == kept["primitives"], broken
    # Methods with defaults may be added.
    assert {name: now["methods"].get(name) for name in kept["methods"]} == kept["methods"], broken
