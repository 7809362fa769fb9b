"""The form of ``conformance.json``, as JSON Schema (draft 2020-12); the guide's table is made from it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["FORMAT", "LEFT_OUT", "SCHEMA", "described_fields", "violation"]

Schema = dict[str, Any]

#: Version of the form.
FORMAT: Final = 1


def _of(kind: str | list[str], description: str, **more: Any) -> Schema:
    return {"type": kind, "description": description, **more}


def _object(description: str, properties: Schema, **more: Any) -> Schema:
    required = [name for name, each in properties.items() if "default" not in each]
    return {
        "type": "object", "description": description, "properties": properties, "required": required,
        "additionalProperties": False, **more,
    }  # fmt: skip


def _or(default: Any, said: str, schema: Schema) -> Schema:
    """A field that files leave out where it has a usual value."""
    return {**schema, "description": f"{schema['description']}; {said} if absent", "default": default}


def _count(description: str) -> Schema:
    return _of("integer", description, minimum=0)


def _number(description: str) -> Schema:
    return _of("number", description, minimum=0)


def _map(description: str, values: Schema) -> Schema:
    return {"type": "object", "description": description, "additionalProperties": values}


def _list(description: str, items: Schema) -> Schema:
    return {"type": "array", "description": description, "items": items}


_TEXT: Schema = {"type": "string"}

_FAILURE: Schema = {
    "subject": _of("string", "name of the op or area"),
    "case": _of("string", "name of the case; up to the first `/` its check"),
    "dtype": _of("string", "dtype the case is about; empty for none"),
    "device": _of("string", "the device"),
    "message": _of("string", "what was expected and what was met"),
    "program": _of("string", "three lines of Python that show it again; empty where there are none"),
    "kind": _of(
        "string", "how it failed", enum=["wrong", "raised", "crashed", "hung", "not run", "exception"]
    ),
}  # fmt: skip

_SUBJECT = _object("the report on one op or area", {
    "name": _of("string", "name of the op or area"),
    "kind": _of(
        "string", "what it is; `op` where no worker lived to say", enum=["primitive", "composite", "area", "op"]
    ),
    "runs_as": _of(
        "string",
        "whether the backend has a kernel, the op's expression runs, or the host does it by policy; empty for areas",
        enum=["native", "composed", "fallback", "missing", ""],
    ),
    "cases": _count("how many cases ran"),
    "checks": _map("counts by check, the first part of the cases' names", _object("counts of a check", {
        "cases": _count("how many cases ran"),
        "compared": _or(None, "all", _count("how many had something to compare, and were not rightly refused, say")),
        "failed": _or(0, "0", _count("how many failed")),
        "declared": _or(0, "0", _count("how many failed as the backend declares")),
    })),
    "failures": _list("the cases that failed", _object("a failure", _FAILURE)),
    "expected_failures": _list("the cases that failed as the backend declares", _object("a declared failure", {
        **_FAILURE, "reason": _of("string", "the declaration's reason"),
    })),
    "oracles": _map("whose word results were compared with, and how often", {"type": "integer", "minimum": 1}),
    "errors": _map("errors of values by dtype", _object("errors in a dtype", {
        "cases": _count("how many cases were measured"),
        "ulp": _or(0.0, "0", _number("largest error, in units in the last place of the expected value")),
        "mean": _or(0.0, "0", _number("mean over the cases of their mean errors, in the same")),
        "budget": _or(0.0, "0", _number("largest error over what the case allows, at most 1 where all pass")),
    })),
    "gradient_budget": _or(0.0, "0", _number("largest error of a derivative over what is allowed")),
    "seconds": _number("how long the cases took"),
    "note": _or("", "empty", _of("string", "where an op without cases of its own is checked")),
    "printed": _or({"cases": 0, "text": ""}, "nothing", _object("what the backend wrote to standard output and error", {
        "cases": _count("in how many cases it did"), "text": _of("string", "the beginning of the first"),
    })),
})  # fmt: skip

#: The fields of an op or area that files leave out where they have these values.
LEFT_OUT: Final[dict[str, Any]] = {
    name: each["default"] for name, each in _SUBJECT["properties"].items() if "default" in each
}

#: The schema of a report.
SCHEMA: Final[Schema] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Conformance report of a tensorcore device",
    **_object("a report", {
        "format": _of("integer", "version of this form", const=FORMAT),
        "device": _of("string", "name of the device"),
        "passed": _of("boolean", "whether nothing failed that was not declared"),
        "level": _of("string", "how much was tried", enum=["quick", "full", "custom"]),
        "seed": _count("the seed; `--seed` gives the same cases again"),
        "limits": _object("how much was tried, in numbers", {
            "examples": _count("random calls per op"),
            "long": _of("boolean", "whether sums over many elements were tried"),
            "samples": _count("samples of each record tried in every dtype"),
            "gradients": _count("samples of each record whose derivatives were tried"),
            "compiled": _of("boolean", "whether each op was tried as a compiled function"),
            "memory": _count("samples of each record tried for what their calls share, read and keep"),
            "steps": _count("steps of the trainings"),
            "dtypes": _list("dtypes tried; all of the device's if empty", _TEXT),
            "seed": _count("the seed"),
        }),
        "started": _of("string", "when, in UTC", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"),
        "seconds": _number("how long it took"),
        "jobs": _count("how many worker processes there were; 0 for none"),
        "contract": _of("integer", "version of the contract that the backend is written for"),
        "capabilities": _object("what the backend says it can do", {
            "dtypes": _list("formats of its arrays", _TEXT),
            **{name: _of("boolean", text) for name, text in {
                "mutable": "whether arrays can be written in place", "views": "whether views share memory",
                "deterministic": "whether a call gives the same bits each time",
                "subnormals": "whether subnormal numbers are kept",
                "asynchronous": "whether kernels return before they have finished",
            }.items()},
        }),
        "versions": _map("versions of all that the result depends on", _TEXT),
        "oracle": _object("where the oracle computed", {
            "processor": _of("string", "the processor"), "cores": _count("its cores"),
            "longdouble_digits": _count("bits of the significand of its widest format, the oracle for float64"),
        }),
        "cases": _count("how many cases ran"),
        "failures": _count("how many failed and were not declared"),
        "failures_by_kind": _map("the same, by how they failed", {"type": "integer", "minimum": 1}),
        "expected_failures": _count("how many failed as declared"),
        "exceptions": _list("the declared exceptions of what was examined", _object("a declared exception", {
            "op": _of("string", "the op or area"), "reason": _of("string", "why"),
            "dtypes": _list("dtypes it is about; all if empty", _TEXT),
            "shapes": _list("patterns of shapes it is about; all if empty", _TEXT),
            "cases": _of("string", "pattern of the case names"),
            "contract": _of(["integer", "null"], "version of the contract it is declared for, if it names one"),
            "device": _of("string", "the device it is about; empty for any"),
            "failed": _count("cases that failed within its scope"),
        })),
        "lost_workers": _list("worker processes that crashed or hung", _object("a lost worker", {
            "subject": _of("string", "op or area"), "case": _of("string", "the case that ran"),
            "kind": _of("string", "how it was lost", enum=["crashed", "hung"]),
            "how": _of("string", "exit code or signal"),
        })),
        "subjects": _list("ops and areas, in the order of the registry", _SUBJECT),
    }),
}  # fmt: skip


def described_fields(schema: Schema = SCHEMA, path: str = "") -> list[tuple[str, str, str]]:
    """(path, type, meaning) of every field, for the guide's table."""
    found = []
    for name, each in schema.get("properties", {}).items():
        here = f"{path}{name}"
        found.append((here, _kind(each), each["description"]))
        found += described_fields(each, f"{here}.")
        if "items" in each:
            found += described_fields(each["items"], f"{here}[].")
        if isinstance(each.get("additionalProperties"), dict):
            found += described_fields(each["additionalProperties"], f"{here}.*.")
    return found


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    kind = schema["type"]
    return " | ".join(kind) if isinstance(kind, list) else str(kind)


_TYPES: Final[dict[str, Any]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip


def violation(value: Any, schema: Schema = SCHEMA, path: str = "") -> str:
    """The first field of a report that is not as the schema says, and how; empty where all are."""
    where = f"`{path}`" if path else "the report"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(value, _TYPES[kind]) and (kind == "boolean" or value is not bool(value)) for kind in kinds):
        return f"{where} should be of type {' or '.join(kinds)} and is {_shown(value)}"
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return f"{where} is {_shown(value)}; known are {_kind(schema)}"
    if not isinstance(value, dict | list | str) and value is not None:
        return "" if schema.get("minimum", value) <= value < math.inf else f"{where} is {_shown(value)}, out of range"
    return next(filter(None, _violations_within(value, schema, path)), "")


def _violations_within(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield violation(each, schema["items"], f"{path}[{number}]")
    elif isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        missing = [name for name in schema.get("required", ()) if name not in value]
        if missing:
            yield f"`{path}{'.' if path else ''}{missing[0]}` is not there"
        for name, each in value.items():
            here = f"{path}.{name}" if path else name
            if name in known or others:
                yield violation(each, known.get(name, others), here)
            else:
                yield f"`{here}` is no field of this version"
    elif "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"`{path}` is {_shown(value)}, not of the form {schema['pattern']}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
