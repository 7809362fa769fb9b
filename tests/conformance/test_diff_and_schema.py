"""The form of reports and the comparison of two."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from tensorcore_conformance import Judge, Limits, stored
from tensorcore_conformance.check_texts import AREA_TEXTS, CHECK_TEXTS
from tensorcore_conformance.diff import KINDS, differences
from tensorcore_conformance.report import examine_device
from tensorcore_conformance.schema import SCHEMA, described_fields, violation
from tensorcore_conformance.session import main

ROOT = Path(__file__).resolve().parents[2]
QUICK = Limits(examples=0)


@pytest.fixture(scope="module")
def values() -> dict:
    return examine_device(Judge("cpu", ["neg", "tanh", "claims"], QUICK)).as_dict()


@pytest.fixture
def failing_values(plant) -> dict:
    return examine_device(Judge(plant("excused", "ExcusedBackend"), ["maximum", "minimum"], QUICK)).as_dict()


# ------------------------------------------------------------------ schema


def test_reports_are_as_the_schema_says(values, failing_values):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    for report in (values, failing_values):
        assert list(validator.iter_errors(json.loads(json.dumps(report, allow_nan=False)))) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda report: report.pop("seed"),
        lambda report: report.update(extra=1),
        lambda report: report["subjects"][0].update(kind="gadget"),
        lambda report: report["subjects"][0]["errors"]["float32"].update(budget=-1),
        lambda report: report.update(started="yesterday"),
    ],
)
def test_the_schema_refuses_what_is_no_report(values, spoil):
    jsonschema = pytest.importorskip("jsonschema")
    report = copy.deepcopy(values)
    spoil(report)
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(report))


def test_the_guide_describes_every_field_check_and_area():
    guide = (ROOT / "docs/guides/conformance.md").read_text("utf-8")
    for path, kind, meaning in described_fields():
        shown = kind.replace("|", "\\|")
        assert f"| `{path}` | {shown} | {meaning} |" in guide, path
    for name, text in {**CHECK_TEXTS, **AREA_TEXTS}.items():
        assert f"| `{name}` | {text} |" in guide, name


def test_every_check_and_area_has_a_text():
    from tensorcore_conformance.areas import AREAS

    assert list(AREAS) == [name for name in AREAS if name in AREA_TEXTS] and set(AREA_TEXTS) == set(AREAS)
    met = set()
    for op in ("add", "sum", "sort", "expand", "linalg_inv", "dropout", "matmul", "argmax"):
        report = examine_device(Judge("cpu", [op], Limits.level("full", examples=1)))
        met |= set(report.subjects[0].groups)
    assert met <= set(CHECK_TEXTS)


# ------------------------------------------------------------------ diff


def changed(values: dict, change) -> dict:
    other = copy.deepcopy(values)
    change({each["name"]: each for each in other["subjects"]}, other)
    return other


def fail(case: str):
    failure = {"subject": "tanh", "case": case, "dtype": "float32", "device": "cpu", "message": "", "program": "",
               "kind": "wrong"}  # fmt: skip
    return lambda subjects, _: subjects["tanh"]["failures"].append(failure)


def declare(subjects, _):
    fail("special/float32")(subjects, _)
    failure = subjects["tanh"]["failures"].pop()
    subjects["tanh"]["expected_failures"].append({**failure, "reason": "known"})


CHANGES = {
    "newly failing": fail("values/float32/(3,4)"),
    "newly declared": declare,
    "gone": lambda subjects, report: report["subjects"].pop(),
    "no longer native": lambda subjects, _: subjects["tanh"].update(runs_as="composed"),
    "larger errors": lambda subjects, _: subjects["tanh"]["errors"]["float32"].update(budget=0.99),
    "fewer cases": lambda subjects, _: subjects["tanh"]["checks"]["values"].update(cases=1),
}
#: What the same change is the other way round.
BACK = {"newly failing": "fixed", "newly declared": "no longer declared", "gone": "new",
        "no longer native": "now native", "larger errors": "smaller errors", "fewer cases": None}  # fmt: skip


def test_a_report_does_not_differ_from_itself(values):
    assert differences(values, values) == []


@pytest.mark.parametrize("kind", CHANGES)
def test_what_got_worse_is_found_and_back_again_it_is_better(values, kind):
    other = changed(values, CHANGES[kind])
    (found,) = differences(values, other)
    assert found.kind == kind and found.worse and found.subject in ("tanh", "claims") and found.text
    back = [each.kind for each in differences(other, values)]
    assert back == ([BACK[kind]] if BACK[kind] else [])


def test_every_kind_of_change_is_tried():
    assert {*CHANGES, *filter(None, BACK.values())} == set(KINDS)


def test_a_declared_failure_that_was_one_before_is_neither_fixed_nor_new(values):
    first, second = changed(values, fail("special/float32")), changed(values, declare)
    assert differences(first, second) == []
    assert [each.kind for each in differences(second, first)] == ["newly failing"]


def test_levels_with_other_counts_are_no_regression(values):
    other = changed(values, CHANGES["fewer cases"])
    other["level"] = "quick"
    assert differences(values, other) == []


@pytest.mark.parametrize(("change", "code", "said"), [(None, 0, "no differences"), ("newly failing", 1, "worse:")])
def test_the_command_compares_files(values, change, code, said, tmp_path, capsys):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(values))
    new.write_text(json.dumps(changed(values, CHANGES[change]) if change else values))
    assert main(["diff", str(old), str(new)]) == code
    assert said in capsys.readouterr().out
    assert main(["diff", str(old), str(new), "--json"]) == code
    assert json.loads(capsys.readouterr().out)["worse"] is bool(code)


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No such file"), ("{", "not JSON"), ("[]", "not a conformance report"), ("[" * 200_000, "not JSON"),
     ('{"format": 1, "subjects": [NaN]}', "NaN is no JSON number"), ("1" * 5000, "not JSON"), ("", "not JSON"),
     ('{"format": 1, "subjects": "x"}', "`device` is not there"),
     ('{"format": 99, "subjects": []}', "format 99"), ('"\\ud800"', "not a conformance report")],
)  # fmt: skip
def test_what_is_no_report_is_exit_code_two(values, text, said, tmp_path, capsys):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(values))
    if text is not None:
        new.write_text(text)
    assert main(["diff", str(old), str(new)]) == 2
    assert said in capsys.readouterr().err


def test_wrong_fields_are_named_and_folders_taken(values, tmp_path, capsys):
    (tmp_path / "conformance.json").write_text(stored.text(values))
    assert main(["diff", str(tmp_path), str(tmp_path)]) == 0 and "no differences" in capsys.readouterr().out
    for spoil, said in (
        (lambda each: each["errors"].update(float32={"cases": True}), "`subjects[1].errors.float32.cases` should be"),
        (lambda each: each.update(runs_as="wild"), "`subjects[1].runs_as` is 'wild'; known are"),
        (lambda each: each.update(seconds=-1), "`subjects[1].seconds` is -1, out of range"),
        (lambda each: each.update(shape=[]), "`subjects[1].shape` is no field of this version"),
    ):
        other = changed(values, lambda subjects, _, spoil=spoil: spoil(subjects["tanh"]))
        (tmp_path / "other.json").write_text(json.dumps(other))
        assert main(["diff", str(tmp_path), str(tmp_path / "other.json")]) == 2
        assert said in capsys.readouterr().err


def test_a_file_without_end_is_not_read_to_its_end(values, tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "LARGEST", 100)
    (tmp_path / "conformance.json").write_text(stored.text(values))
    with pytest.raises(ValueError, match="longer than"):
        stored.read(tmp_path)


def test_written_files_are_as_the_schema_says_and_leave_out_what_is_usual(failing_values, tmp_path):
    text = stored.text(failing_values)
    short = json.loads(text)
    assert violation(short) == "" == violation(failing_values)
    assert list(pytest.importorskip("jsonschema").Draft202012Validator(SCHEMA).iter_errors(short)) == []
    assert "note" not in short["subjects"][0] and short["subjects"][0]["checks"]["kernel"].keys() == {"cases"}
    assert len(text.splitlines()) == len(json.dumps({**short, "subjects": []}, indent=1).splitlines()) + 2


def test_the_installed_command_knows_diff_and_refuses_stray_words(tmp_path, capsys):
    pytest.importorskip("typer")
    from tensorcore.cli.main import main as command

    path = tmp_path / "report.json"
    path.write_text("{}")
    assert command(["conformance", "diff", str(path), str(path)]) == 2
    assert command(["conformance", "diff", str(path)]) == 2
    assert command(["conformance", "cpu", "stray"]) == 2
    assert command(["conformance", "cpu", "--quick", "--full"]) == 2
    assert "two levels" in capsys.readouterr().err
