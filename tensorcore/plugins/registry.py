"""What the installed plugins registered: found once, each plugin behind a ``try`` of its own."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pluggy

from tensorcore.backend.spec import BackendSpec
from tensorcore.errors import PluginError
from tensorcore.plugins import hookspecs
from tensorcore.plugins.specs import CommandSpec, ConformanceSpec, DatasetSpec, ModelSpec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["GROUP", "HOOKS", "Entry", "PluginProblem", "Registry"]

#: The entry-point group that names plugins.
GROUP: Final = "tensorcore"

#: The hooks, and the class of the specs each one returns.
HOOKS: Final[dict[str, type]] = {
    "tensorcore_backends": BackendSpec,
    "tensorcore_models": ModelSpec,
    "tensorcore_datasets": DatasetSpec,
    "tensorcore_commands": CommandSpec,
    "tensorcore_conformance_cases": ConformanceSpec,
}

_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_NAMES = {"tensorcore_backends": re.compile(r"[A-Za-z_]\w*")}
_ANY_NAME = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A spec, and where it comes from."""

    for spec in result:
        if not isinstance(spec, expected):
            raise PluginError(f"{hook}: expected a list of {expected.__name__}, got one with {spec!r}")
        _check(hook, spec)
    return list(result)


def _check(hook: str, spec: Any) -> None:
    if not isinstance(spec.name, str) or not _NAMES.get(hook, _ANY_NAME).fullmatch(spec.name):
        raise PluginError(f"{hook}: {spec.name!r} cannot be a name")
    if not isinstance(spec.target, str) or not _TARGET.fullmatch(spec.target):
        raise PluginError(f"{hook}: {spec.name!r}: expected a target 'package.module:name', got {spec.target!r}")
    if isinstance(spec.requires, str):
        raise PluginError(f"{hook}: {spec.name!r}: requires is a tuple of import names, got a string")


def _meaning(error: Exception) -> str:
    """What pluggy's refusal means to the plugin's author."""
    text = " ".join(str(error).split())
    unknown = re.match(r"unknown hook '(\w+)'", text)
    if unknown:
        from difflib import get_close_matches

        near = get_close_matches(unknown[1], HOOKS, n=1)
        guess = f"did you mean {near[0]!r}?" if near else f"the hooks are {', '.join(HOOKS)}"
        return f"it implements a hook {unknown[1]!r} that does not exist; {guess}"
    return text


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist is not None else ("", "")


def _described(plugin: str, distribution: str, version: str) -> str:
    return f"plugin {plugin!r} ({distribution} {version})" if distribution else f"plugin {plugin!r}"
