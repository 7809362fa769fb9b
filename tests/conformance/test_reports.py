"""Reports, the command and the pytest plugin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

import tensorcore as tc
from tensorcore_conformance import Exemption, ExtraCase, Judge, Limits, replay, replay_area, stored
from tensorcore_conformance.exemptions import declared
from tensorcore_conformance.files import badge, junit
from tensorcore_conformance.report import Report, examine_device, subject_as_dict, subject_from_dict
from tensorcore_conformance.session import main

QUICK = Limits(examples=0)


@pytest.fixture
def failing(plant) -> Report:
    return examine_device(Judge(plant("planted_maximum"), ["maximum", "neg", "claims"], QUICK))


def test_the_report_counts_and_names(failing):
    assert not failing.passed
    assert [each.name for each in failing.subjects] == ["maximum", "neg", "claims"]
    assert failing.cases == sum(each.cases for each in failing.subjects)
    assert {failure.subject for failure in failing.failures} == {"maximum"}
    assert {"tensorcore", "numpy", "python"} <= set(failing.versions)


def test_the_table_shows_each_op_and_why_it_failed(failing):
    table = failing.table()
    assert "maximum  primitive  native" in table
    assert "expected nan" in table and "replay('planted_maximum', 'values', 'maximum'" in table
    assert table.splitlines()[-1].endswith("fail, in maximum")


def test_a_subject_survives_the_way_through_json(failing):
    for each in failing.subjects:
        assert subject_from_dict(json.loads(json.dumps(subject_as_dict(each)))) == subject_from_dict(
            subject_as_dict(each)
        )
        assert subject_from_dict(subject_as_dict(each)).explained() == each.explained()


def test_the_files_are_well_formed(failing, tmp_path):
    assert [path.name for path in failing.write(tmp_path / "out")] == [
        "conformance.json",
        "junit.xml",
        "index.html",
        "badge.svg",
    ]
    values = json.loads((tmp_path / "out/conformance.json").read_text("utf-8"))
    assert values["failures"] == len(failing.failures) and values["device"] == "planted_maximum"
    suites = ElementTree.parse(tmp_path / "out/junit.xml").getroot()
    assert suites.get("failures") == str(sum(int(suite.get("failures", "")) for suite in suites)) == "1"
    assert suites.get("tests") == str(len(suites.findall("*/testcase")))
    assert {suite.get("name"): int(suite.get("failures", "")) > 0 for suite in suites} == {
        "maximum": True,
        "neg": False,
        "claims": False,
    }
    page = (tmp_path / "out/index.html").read_text("utf-8")
    assert "prefers-color-scheme: dark" in page and "expected nan" in page
    assert not re.search('src=|href="(?!#)|url\\(|@import', page), "the page needs no network"
    badge = ElementTree.parse(tmp_path / "out/badge.svg").getroot()
    assert "fail" in "".join(badge.itertext())


def test_a_passing_report_says_so(tmp_path):
    report = examine_device(Judge("cpu", ["neg"], QUICK))
    assert report.passed
    assert report.table().splitlines()[-1].endswith("cases on device 'cpu': all pass")
    report.write(tmp_path)
    assert f"cpu: {report.cases} pass" in (tmp_path / "badge.svg").read_text("utf-8")


@pytest.fixture
def excused(plant) -> Report:
    return examine_device(Judge(plant("excused_too_often", "ExcusedBackend"), ["maximum", "minimum", "claims"], QUICK))


def test_a_written_report_is_read_back_and_drawn_anew(failing, excused, tmp_path):
    for name, report in (("one", failing), ("two", excused)):
        report.write(tmp_path / name)
        again = Report.read(tmp_path / name)
        assert again.cases == report.cases and again.passing == report.passing and again.level == report.level
        assert [(each.groups, each.compared, each.failures, each.expected) for each in again.subjects] == [
            (each.groups, each.compared, each.failures, each.expected) for each in report.subjects
        ]
        again.write(tmp_path / "again")
        texts = [(tmp_path / folder / "conformance.json").read_text("utf-8") for folder in (name, "again")]
        assert texts[0] == texts[1]
        assert stored.read(tmp_path / name)["subjects"][-1]["printed"] == {"cases": 0, "text": ""}


def test_what_passes_what_fails_and_what_is_declared_add_up(excused):
    declared, stale = excused.expected, [each for each in excused.failures if each.kind == "exception"]
    assert declared and len(stale) == 1
    assert excused.passing + declared + len(excused.failures) - len(stale) == excused.cases
    assert f"1 fail, {excused.passing:,} pass, {declared} declared" in badge(excused)


#: What Jenkins and GitLab know: attributes and children by element.
JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}, {"testcase", "system-out"},
    ),
    "testcase": ({"name", "classname", "time"}, {"failure", "error", "skipped"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}  # fmt: skip


def test_junit_is_what_build_servers_read_whatever_backends_say(excused):
    subject = excused.subjects[1]
    subject.failures.append(
        replace(subject.failures[0], kind="crashed", case="values/x", message='<&"\x00\x1b\ud800>\n]]>')
    )
    subject.printed = (1, "<b>\x07\uffff")
    root = ElementTree.fromstring(junit(excused).encode("utf-8"))
    for each in root.iter():
        attributes, children = JUNIT[each.tag]
        assert set(each.attrib) == attributes and {child.tag for child in each} <= children
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases) == len({case.get("name") for case in cases})
        for word, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(count, "")) == sum(case.find(word) is not None for case in cases)
        assert sum(float(case.get("time", "")) for case in cases) == pytest.approx(
            float(suite.get("time", "")), abs=0.02
        )
    assert root[1].find(".//error").get("message") == '<&">\n]]>' and root[1].findtext("system-out") == "<b>"
    assert int(root[0].get("skipped", "")) == 1


@pytest.mark.parametrize("device", ["x", "a_device_with_quite_a_long_name", "<&\"'\x00"])
def test_the_badge_is_as_wide_as_its_words(failing, device):
    failing.device = device
    drawn = ElementTree.fromstring(badge(failing))
    texts = drawn.findall(".//{*}text")
    assert drawn.find("{*}title").text == drawn.get("aria-label")
    lengths = [float(each.get("textLength", "")) for each in texts]
    assert lengths[0] + lengths[2] + 24 == float(drawn.get("width", ""))


# ------------------------------------------------------------------ the command


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["cpu", "--ops", "neg", "--examples", "0"], 0, "all pass"),
        (["cpu", "--ops", "neg", "--examples", "0", "--dtypes", "float32,int8"], 0, "all pass"),
        (["cpu", "--ops", "neg", "--dtypes", "float8"], 2, "has no dtype float8"),
        (["cpu", "--ops", "neg,nothing_such"], 2, "no op or area is called 'nothing_such'"),
        (["nowhere"], 2, "unknown device 'nowhere'"),
        (["cpu", "--ops", "nge"], 2, "did you mean"),
        (["cpu", "--ops", "neg", "--jobs", "0", "--quick", "--seed", "3"], 0, "all pass"),
    ],
)
def test_exit_codes(arguments, code, said, capsys):
    assert main(arguments) == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


def test_failures_are_exit_code_one(plant, capsys):
    assert main([plant("planted_tanh"), "--ops", "tanh", "--examples", "0", "--jobs", "0"]) == 1
    assert "fail, in tanh" in capsys.readouterr().out


def test_json_on_standard_output(capsys, tmp_path):
    assert main(["cpu", "--ops", "neg", "--examples", "0", "--json", "--report", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["passed"] is True
    assert "conformance.json" in printed.err


def test_the_plugin_registers_the_command():
    from tensorcore.plugins.host import Host
    from tensorcore_conformance import registration

    host = Host()
    if "conformance" not in host.commands():
        host.register(registration, "conformance-by-hand")
    pytest.importorskip("typer")
    assert host.command("conformance").__name__ == "conformance"


# ------------------------------------------------------------------ the pytest plugin


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tensorcore_conformance.plugin",
        "-p",
        "no:cacheprovider",
        *arguments,
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_the_pytest_plugin_runs_ops_and_writes_the_report(tmp_path):
    arguments = ("--tensorcore-device", "cpu", "--tensorcore-ops", "neg,claims", "--tensorcore-report", "out")
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    subjects = json.loads((tmp_path / "out/conformance.json").read_text("utf-8"))["subjects"]
    assert [each["name"] for each in subjects] == ["neg", "claims"]


def test_the_pytest_plugin_refuses_an_unknown_device(tmp_path):
    done = run_pytest(tmp_path, "--tensorcore-device", "nowhere")
    assert done.returncode != 0
    assert "unknown device 'nowhere'" in done.stdout + done.stderr


def test_without_a_device_the_pytest_plugin_changes_nothing(tmp_path):
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    assert "1 passed" in run_pytest(tmp_path).stdout


# ------------------------------------------------------------------ declarations, lines


def test_extra_cases_and_exemptions_of_plugins(monkeypatch, plant):
    name = plant("unspoilt")
    from tensorcore_conformance import exemptions

    stated = [ExtraCase("neg", {"shapes": ((7,),)}), Exemption("neg", "elsewhere", device="another")]
    monkeypatch.setattr(exemptions, "_registered", lambda: stated)
    assert declared(name) == ([], stated[:1])
    assert Judge(name, ["neg"], QUICK).examine("neg").groups["extra"] == 1
    assert Judge(name, ["neg"]).exemptions_of("neg") == []


@pytest.mark.parametrize(
    "stated", [[{"op": "neg"}], [{"op": "neg", "reason": ""}], ["neg"], [{"op": "neg", "reason": "x", "why": 1}]]
)
def test_a_malformed_exception_is_refused(stated, plant, monkeypatch):
    backend = tc.device(plant("unspoilt")).backend
    monkeypatch.setattr(backend, "tensorcore_conformance_exceptions", stated, raising=False)
    with pytest.raises(tc.errors.PluginError, match="expected a mapping with op, reason"):
        declared("unspoilt")


def test_an_exception_for_an_unknown_op_is_refused(plant, monkeypatch):
    backend = tc.device(plant("unspoilt")).backend
    monkeypatch.setattr(
        backend, "tensorcore_conformance_exceptions", [{"op": "nothing_such", "reason": "x"}], raising=False
    )
    with pytest.raises(ValueError, match="nothing_such"):
        Judge("unspoilt")


def test_a_case_can_be_repeated(capsys):
    replay("cpu", "values", "add", shapes=((2,), ()), dtypes=("float32", "float32"), seed=1)
    assert "operand 1: float32 []" in capsys.readouterr().out
    with pytest.raises(ValueError, match="no case 'nothing'"):
        replay_area("cpu", "indexing", "nothing")


def test_the_guide_runs(capsys):
    guide = Path(__file__).resolve().parents[2] / "docs" / "guides" / "conformance.md"
    first, exceptions, extra = re.findall(r"^```python\n(.*?)^```", guide.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    exec(first, {})
    assert re.fullmatch(r"tanh \d+ passes\nindexing \d+ passes\nTrue\n", capsys.readouterr().out)
    from tensorcore.backend.array_module import ArrayModuleBackend

    scope = {"ArrayModuleBackend": ArrayModuleBackend}
    exec(exceptions, scope)
    for each in scope["SimpleBackend"].tensorcore_conformance_exceptions:
        assert Exemption(**each).reason
    exec(extra, scope)
    (case,) = scope["cases"]()
    assert Judge("cpu", [case.op], QUICK).subjects == ["conv2d"]
