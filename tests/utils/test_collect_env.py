"""Facts for reports."""

from __future__ import annotations

import subprocess
import sys

import tensorcore as tc
from tensorcore.utils.collect_env import get_env_info, get_pretty_env_info


def test_the_facts():
    facts = get_env_info()
    assert facts["tensorcore"] == tc.__version__
    assert facts["default device"] == "cpu"
    assert "numpy" in facts
    assert all(isinstance(value, str) and value for value in facts.values())
    assert get_pretty_env_info().splitlines()[0] == f"tensorcore: {tc.__version__}"


def test_as_a_program():
    command = [sys.executable, "-m", "tensorcore.utils.collect_env"]
    assert "platform: " in subprocess.run(command, capture_output=True, text=True, check=True).stdout
