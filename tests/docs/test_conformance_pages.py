"""The committed reports of the devices that come along: whole, without failures, and every deviation explained."""

from __future__ import annotations

import sys
from pathlib import Path

import jsonschema
import pytest

from tensorcore.errors import BackendUnavailableError
from tensorcore.ops.record import REGISTRY
from tensorcore_conformance.exemptions import declared
from tensorcore_conformance.schema import SCHEMA

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

import conformance_pages

REPORTS = conformance_pages.reports()


def test_the_page_is_made_of_the_reports():
    assert (conformance_pages.FOLDER / "index.md").read_text("utf-8") == conformance_pages.page()


@pytest.mark.parametrize("device", REPORTS)
class TestReport:
    def test_is_whole(self, device):
        report = REPORTS[device]
        jsonschema.validate(report, SCHEMA)
        level = "quick" if device == "jax" else "full"
        assert (report["device"], report["level"], report["lost_workers"]) == (device, level, [])
        assert len(report["subjects"]) > 0.95 * len(REGISTRY)

    def test_has_no_failures(self, device):
        assert REPORTS[device]["passed"]

    def test_says_what_the_backend_declares(self, device):
        try:
            now = [(each.op, each.cases, each.reason) for each in declared(device)[0]]
        except BackendUnavailableError as error:
            pytest.skip(str(error))
        assert [(each["op"], each["cases"], each["reason"]) for each in REPORTS[device]["exceptions"]] == now
