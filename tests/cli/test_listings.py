"""What is installed: ``backends``, ``models``, ``datasets``, ``info``."""

from __future__ import annotations

import json
import platform

import tensorcore as tc
from tensorcore.plugins.host import host


def test_backends(tensorcore):
    states = {state["name"]: state for state in json.loads(tensorcore("backends", "--json").stdout)}
    assert states["cpu"]["state"] == "loaded" and states["cpu"]["devices"] == ["cpu"]
    assert states["reference"]["state"] == "loaded"
    for name, state in states.items():
        assert set(state) >= {"name", "version", "devices", "state", "reason"}
        assert bool(state["reason"]) == (state["state"] not in ("loaded", "available")), name


def test_backends_as_a_table_with_a_line_each(tensorcore):
    lines = tensorcore("backends").stdout.splitlines()
    assert lines[0].split()[:4] == ["name", "version", "devices", "state"]
    rows = {line.split()[0]: line for line in lines[1:] if line.strip()}
    assert set(host.backends()) <= set(rows)
    assert " loaded " in rows["cpu"]
    off = [state for state in host.states() if state.reason]
    for state in off:
        assert state.reason in rows[state.name]


def test_models_and_datasets(tensorcore):
    models = json.loads(tensorcore("models", "--json").stdout)
    assert {"classifier"} <= {model["name"] for model in models}
    assert "fashion-mnist" in tensorcore("models").stdout
    names = {dataset["name"] for dataset in json.loads(tensorcore("datasets", "--json").stdout)}
    assert {"fashion-mnist", "mnist"} <= names
    assert "clothing" in tensorcore("datasets").stdout


def test_info(tensorcore):
    facts = json.loads(tensorcore("info", "--json").stdout)
    assert facts["tensorcore"] == tc.__version__
    assert facts["python"].startswith(platform.python_version())
    assert facts["default device"] == str(tc.get_default_device())
    assert "numpy" in facts["libraries"]
    assert {"tensorcore-cpu", "tensorcore-zoo"} <= {plugin["name"] for plugin in facts["plugins"]}
    table = tensorcore("info").stdout
    assert f"numpy {facts['libraries']['numpy']}" in table and "tensorcore-zoo" in table
