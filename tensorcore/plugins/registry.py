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

    spec: Any
    plugin: str
    distribution: str
    version: str

    @property
    def origin(self) -> str:
        """The plugin, with its distribution where it was installed."""
        return f"{self.plugin!r} ({self.distribution} {self.version})" if self.distribution else repr(self.plugin)


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """A plugin that could not be used.

    Attributes:
        plugin: name of its entry point.
        distribution: name of the distribution that brings it, empty where it was registered by hand.
        version: version of that distribution.
        reason: what is wrong, in a sentence.
        traceback: the formatted traceback, empty where nothing was raised.
    """

    plugin: str
    distribution: str
    version: str
    reason: str
    traceback: str = ""

    def __str__(self) -> str:
        return f"{_described(self.plugin, self.distribution, self.version)}: {self.reason}"


class Registry:
    """The specs by hook and name, and the plugins that could not be used.

    A name that two plugins register is ambiguous: it keeps both entries, and using it is an error that names both.
    """

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, tuple[Entry, ...]]] = {hook: {} for hook in HOOKS}
        self.problems: list[PluginProblem] = []
        self._manager = pluggy.PluginManager("tensorcore")
        self._manager.add_hookspecs(hookspecs)

    def discover(self) -> None:
        """Register every entry point of the group; what fails becomes a problem and stops nothing else."""
        from importlib.metadata import entry_points

        named: dict[str, list[EntryPoint]] = {}
        for found in entry_points(group=GROUP):
            named.setdefault(found.name, []).append(found)
        for name, points in sorted(named.items()):
            if len(points) > 1:
                # pluggy would load one and drop the others without a word.
                rivals = " and ".join(sorted(" ".join(_distribution(point)) for point in points))
                self._report(points[0], f"the entry point {name!r} is in {rivals}; none is used: uninstall all but one")
            else:
                self._discover_one(points[0])

    def _discover_one(self, point: EntryPoint) -> None:
        distribution, version = _distribution(point)
        try:
            plugin = point.load()
        except Exception as error:
            self._report(point, f"importing {point.value!r} raised {type(error).__name__}: {error}", error)
            return
        try:
            self.register(plugin, point.name, distribution, version)
        except PluginError as error:
            self._report(point, str(error), error.__cause__)

    def _report(self, point: EntryPoint, reason: str, error: BaseException | None = None) -> None:
        text = "".join(traceback.format_exception(error)) if error is not None else ""
        self.problems.append(PluginProblem(point.name, *_distribution(point), reason, text))

    def register(
        self, plugin: object, name: str, distribution: str = "", version: str = "", unique: bool = False
    ) -> None:
        """Add the specs of one plugin, all or none.

        Raises:
            PluginError: where a hook is misspelt, has parameters, raises, or returns what the contract forbids; with
                ``unique``, also where a name it registers is taken.
        """
        if self._manager.has_plugin(name):
            raise PluginError(f"a plugin {name!r} is registered already")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            if not self._manager.get_hookcallers(plugin):
                raise PluginError(f"it implements no hook; the functions marked hookimpl may be {', '.join(HOOKS)}")
            specs = {hook: self._call(hook, expected, plugin) for hook, expected in HOOKS.items()}
            if unique:
                self._refuse_taken(specs)
        except Exception as error:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            if isinstance(error, PluginError):
                raise
            raise PluginError(_meaning(error)) from error
        for hook, found in specs.items():
            # Replaced, not changed: another thread may be going through the old one.
            entries = dict(self.entries[hook])
            for spec in found:
                entries[spec.name] = (*entries.get(spec.name, ()), Entry(spec, name, distribution, version))
            self.entries[hook] = entries

    def _refuse_taken(self, specs: dict[str, list[Any]]) -> None:
        for hook, found in specs.items():
            for spec in found:
                if spec.name in self.entries[hook]:
                    owner = self.entries[hook][spec.name][0].origin
                    raise PluginError(f"{hook}: the name {spec.name!r} is taken by the plugin {owner}")

    def unregister(self, name: str) -> list[str]:
        """Take out a plugin's specs; returns the names of the backends it had."""
        if not self._manager.has_plugin(name):
            raise PluginError(f"no plugin {name!r} is registered")
        self._manager.unregister(name=name)
        gone = [each for each, held in self.entries["tensorcore_backends"].items() if name in {e.plugin for e in held}]
        for hook, entries in self.entries.items():
            kept = {each: tuple(e for e in held if e.plugin != name) for each, held in entries.items()}
            self.entries[hook] = {each: held for each, held in kept.items() if held}
        return gone

    def _call(self, hook: str, expected: type, plugin: object) -> list[Any]:
        # One plugin's implementations only: a call of the hook for all would let one that raises stop the rest.
        results: list[Any] = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            if implementation.plugin is plugin:
                results += _checked(hook, expected, implementation.function)
        names = [spec.name for spec in results]
        for each in names:
            if names.count(each) > 1:
                raise PluginError(f"{hook}: the name {each!r} is there twice")
        return results


def _checked(hook: str, expected: type, function: Callable[[], Any]) -> list[Any]:
    try:
        result = function()
    except Exception as error:
        raise PluginError(f"{hook}() raised {type(error).__name__}: {error}") from error
    if not isinstance(result, (list, tuple)):
        raise PluginError(f"{hook}: expected a list of {expected.__name__}, got {result!r}")
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
