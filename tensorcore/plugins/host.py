"""The host: backends, models, data sets and commands by name, loaded when first used.

Asking whether a name is known imports the plugins' registering modules and nothing they point at. What cannot be
loaded keeps its reason and traceback, which ``tensorcore backends`` shows.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tensorcore.backend.contract import Backend
from tensorcore.errors import BackendUnavailableError, DeviceError, PluginError, described
from tensorcore.plugins.availability import BackendState, age, contract_mismatch, missing, require_sound

if TYPE_CHECKING:
    from tensorcore.plugins.registry import Entry, PluginProblem, Registry
    from tensorcore.plugins.specs import CommandSpec, ConformanceSpec, DatasetSpec, ModelSpec

__all__ = ["BackendState", "Host", "host"]


@dataclass(frozen=True, slots=True)
class _Off:
    """Why a backend cannot be used, and the exception, with its traceback, where there was one."""

    state: str
    reason: str
    error: BaseException | None = None


class Host:
    """Finds plugins and loads what they registered; safe to use from several threads.

    The process has one, `host`. A second one finds the installed plugins anew.
    """

    def __init__(self) -> None:
        self._registry: Registry | None = None
        self._discovering = False
        self._lock = threading.RLock()
        self._loaded: dict[str, Backend] = {}
        self._notices: dict[str, str] = {}
        self._failed: dict[str, _Off] = {}
        self._loading: dict[str, threading.RLock] = {}
        self._in_progress: set[str] = set()

    # Registration

    @property
    def registry(self) -> Registry:
        """What the plugins registered; they are looked for when this is first read."""
        registry = self._registry
        if registry is None:
            with self._lock:
                if self._registry is None:
                    self._discover()
                registry = self._registry
        assert registry is not None
        return registry

    def _discover(self) -> None:
        if self._discovering:
            raise PluginError("a plugin asked for a device while it was being registered; it may do so in its target")
        # pluggy and importlib.metadata are paid for at first use, not by `import tensorcore`.
        from tensorcore.plugins.registry import Registry

        self._discovering = True
        try:
            registry = Registry()
            registry.discover()
            self._registry = registry
        finally:
            self._discovering = False

    def register(self, plugin: object, name: str) -> None:
        """Register a plugin by hand: a module, class or object whose functions are marked `hookimpl`.

        Raises:
            PluginError: where its name or one it registers is taken, or it breaks the contract of a hook.

        Example:
            >>> from tensorcore.plugins import ModelSpec, hookimpl
            >>> from tensorcore.plugins.host import Host
            >>> class Plugin:
            ...     @hookimpl
            ...     def tensorcore_models(self):
            ...         return [ModelSpec("fraction", "fractions:Fraction")]
            >>> host = Host()
            >>> host.register(Plugin(), "doc")
            >>> host.model("fraction")(1, 2)
            Fraction(1, 2)
        """
        registry = self.registry
        with self._lock:
            registry.register(plugin, name, unique=True)
            self._failed.clear()

    def unregister(self, name: str) -> None:
        """Forget the plugin ``name`` and its backends; tensors that exist keep working.

        Raises:
            PluginError: where there is none of that name.
        """
        from tensorcore.devices import forget_kinds

        registry = self.registry
        with self._lock:
            gone = registry.unregister(name)
            for backend in gone:
                self._loaded.pop(backend, None)
            forget_kinds(gone)
            self._failed.clear()

    def problems(self) -> list[PluginProblem]:
        """The installed plugins that could not be registered, with reasons."""
        return list(self.registry.problems)

    # Backends

    def require_known(self, name: str) -> None:
        """Check that a plugin registered a backend ``name``, without loading it.

        Raises:
            DeviceError: where none did; the message lists the known ones and why each one that is off is off.
        """
        if name not in self.registry.entries["tensorcore_backends"]:
            raise DeviceError(self._unknown(name))

    def backend(self, name: str) -> Backend:
        """The backend behind a device name, loaded on first use.

        Warns:
            DeprecationWarning: where it is written for the version of the contract before this one.

        Raises:
            DeviceError: for an unknown name; the message lists the known ones.
            BackendUnavailableError: for a known one that cannot be used; the message gives the reason, and its
                ``__cause__`` is what the backend raised.
        """
        found = self._loaded.get(name)
        if found is not None:
            return found
        found = self._obtained(name)
        if notice := self._notices.get(name):
            import warnings

            warnings.warn(notice, DeprecationWarning, stacklevel=2)
        return found

    def _obtained(self, name: str) -> Backend:
        self.require_known(name)
        with self._lock:
            lock = self._loading.setdefault(name, threading.RLock())
        # A lock for each backend: one that takes seconds to import does not hold up another.
        with lock:
            found = self._loaded.get(name)
            if found is not None:
                return found
            off = self._off(name)
            if off is None:
                off = self._load(name)
            if off is None:
                return self._loaded[name]
        raise BackendUnavailableError(f"device {name!r} is not available: {off.reason}") from off.error

    def loaded(self, name: str) -> Backend | None:
        """The backend behind a device name if it has been loaded, without loading it."""
        return self._loaded.get(name)

    def _load(self, name: str) -> _Off | None:
        (entry,) = self.registry.entries["tensorcore_backends"][name]
        if name in self._in_progress:
            raise PluginError(f"backend {name!r} asks for its own device while it is being loaded")
        self._in_progress.add(name)
        try:
            made = _made(entry)
            self._notices[name] = age(entry, made)
            self._loaded[name] = made
            return None
        except (Exception, SystemExit) as error:  # some modules leave the process where they miss something
            reason = _failure(entry, error)
            off = _Off("failed", reason, error)
            self._failed[name] = off
            return off
        finally:
            self._in_progress.discard(name)

    def _off(self, name: str) -> _Off | None:
        """Why backend ``name`` cannot be used, as far as that is known without loading it."""
        if name in self._loaded:
            return None
        if name in self._failed:
            return self._failed[name]
        entries = self.registry.entries["tensorcore_backends"][name]
        if len(entries) > 1:
            rivals = " and ".join(sorted(entry.origin for entry in entries))
            return _Off("conflict", f"the plugins {rivals} both register this name; uninstall one")
        spec = entries[0].spec
        if (reason := contract_mismatch(spec.contract, entries[0].origin)) is not None:
            return _Off("incompatible", reason)
        if (reason := missing(spec.requires, spec.install)) is not None:
            return _Off("unavailable", reason)
        return None

    def default_backend(self) -> str:
        """The name of the available backend of highest priority; equals go by name.

        One whose requirements are met but which cannot be loaded is passed over with a warning.

        Raises:
            BackendUnavailableError: where none is available; the message gives the reasons.
        """
        import warnings

        entries = self.registry.entries["tensorcore_backends"]
        for name in sorted(entries, key=lambda name: (-max(e.spec.priority for e in entries[name]), name)):
            off = self._off(name)
            if off is not None and off.state == "unavailable":
                continue
            try:
                self.backend(name)
            except BackendUnavailableError as error:
                warnings.warn(f"{error}; another device becomes the default", RuntimeWarning, stacklevel=2)
            else:
                return name
        raise BackendUnavailableError(f"no backend is available; {self._known()}")

    def host_backend(self, other_than: str) -> Backend:
        """The available backend of highest priority, other than one, whose arrays are in host memory.

        Raises:
            BackendUnavailableError: where there is none.
        """
        entries = self.registry.entries["tensorcore_backends"]
        for name in sorted(entries, key=lambda name: (-max(e.spec.priority for e in entries[name]), name)):
            if name != other_than and self._off(name) is None and self.backend(name).host_memory:
                return self.backend(name)
        raise BackendUnavailableError(f"no backend in host memory besides {other_than!r} is available; {self._known()}")

    def backends(self) -> list[str]:
        """The names of all known backends, in alphabetical order, available or not."""
        return sorted(self.registry.entries["tensorcore_backends"])

    def states(self, *, load: bool = True) -> list[BackendState]:
        """The known backends by descending priority, then the plugins that did not load.

        ``load`` also loads what seems available, which is the only way to learn that it works and has devices.
        """
        entries = self.registry.entries["tensorcore_backends"]
        order = sorted(entries, key=lambda name: (-max(e.spec.priority for e in entries[name]), name))
        states = [self._state(name, load) for name in order]
        states += [
            BackendState(
                problem.plugin, "broken plugin", (), problem.distribution, problem.version, "", problem.reason,
                problem.traceback,
            )
            for problem in self.problems()
        ]  # fmt: skip
        return states

    def _state(self, name: str, load: bool) -> BackendState:
        entry = self.registry.entries["tensorcore_backends"][name][0]
        devices: tuple[str, ...] = ()
        off = self._off(name)
        if off is None and (load or name in self._loaded):
            try:
                # The warning of an old contract becomes the notice.
                count = self._obtained(name).device_count()
                devices = (name,) if count == 1 else tuple(f"{name}:{index}" for index in range(count))
            except BackendUnavailableError:
                off = self._off(name)
        text = ""
        if off is not None and off.error is not None:
            import traceback

            text = "".join(traceback.format_exception(off.error))
        return BackendState(
            name,
            off.state if off is not None else "loaded" if name in self._loaded else "available",
            devices,
            entry.distribution,
            entry.version,
            entry.spec.description,
            off.reason if off is not None else "",
            text,
            self._notices.get(name, "") if off is None else "",
            tuple(entry.spec.requires),
        )

    def _unknown(self, name: str) -> str:
        from difflib import get_close_matches

        known = self.registry.entries["tensorcore_backends"]
        near = get_close_matches(name, known, n=1, cutoff=0.7)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        return f"unknown device {name!r}{guess}; {self._known()}"

    def _known(self) -> str:
        """The available devices, then the others and the broken plugins with their reasons."""
        reasons = {name: self._off(name) for name in self.backends()}
        available = ", ".join(name for name, why in reasons.items() if why is None)
        parts = [f"available: {available or 'none'}"]
        others = [f"{name} ({why.reason})" for name, why in reasons.items() if why is not None]
        if others:
            parts.append(f"known but not available: {', '.join(others)}")
        if self.registry.problems:
            parts.append("plugins that did not load: " + ", ".join(str(each) for each in self.registry.problems))
        return "; ".join(parts)

    # Models, data sets, commands, conformance cases

    def models(self) -> dict[str, ModelSpec]:
        """The registered models by name."""
        return self._specs("tensorcore_models")

    def datasets(self) -> dict[str, DatasetSpec]:
        """The registered data sets by name."""
        return self._specs("tensorcore_datasets")

    def commands(self) -> dict[str, CommandSpec]:
        """The registered subcommands by name."""
        return self._specs("tensorcore_commands")

    def conformance_cases(self) -> dict[str, ConformanceSpec]:
        """The registered conformance cases by name."""
        return self._specs("tensorcore_conformance_cases")

    def model(self, name: str) -> Any:
        """What makes the model ``name``.

        Raises:
            PluginError: for an unknown or ambiguous name, or one that cannot be loaded; the message says why.
        """
        return self._target("tensorcore_models", "model", name)

    def dataset(self, name: str) -> Any:
        """What makes the data set ``name``.

        Raises:
            PluginError: for an unknown or ambiguous name, or one that cannot be loaded; the message says why.
        """
        return self._target("tensorcore_datasets", "data set", name)

    def command(self, name: str) -> Any:
        """The function behind the subcommand ``name``.

        Raises:
            PluginError: for an unknown or ambiguous name, or one that cannot be loaded; the message says why.
        """
        return self._target("tensorcore_commands", "command", name)

    def conformance_case(self, name: str) -> Any:
        """The function that returns the conformance cases ``name``.

        Raises:
            PluginError: for an unknown or ambiguous name, or one that cannot be loaded; the message says why.
        """
        return self._target("tensorcore_conformance_cases", "set of conformance cases", name)

    def _specs(self, hook: str) -> dict[str, Any]:
        return {name: entries[0].spec for name, entries in sorted(self.registry.entries[hook].items())}

    def _target(self, hook: str, noun: str, name: str) -> Any:
        entries = self.registry.entries[hook].get(name)
        if entries is None:
            broken = "".join(f"; {problem}" for problem in self.registry.problems)
            known = ", ".join(sorted(self.registry.entries[hook])) or "none"
            raise PluginError(f"unknown {noun} {name!r}; known: {known}{broken}")
        if len(entries) > 1:
            rivals = " and ".join(sorted(entry.origin for entry in entries))
            raise PluginError(f"{noun} {name!r}: the plugins {rivals} both register this name; uninstall one")
        spec = entries[0].spec
        if (reason := missing(spec.requires, spec.install)) is not None:
            raise PluginError(f"{noun} {name!r} is not available: {reason}")
        try:
            return _imported(spec.target)
        except Exception as error:
            what = f"loading {spec.target!r} raised {type(error).__name__}: {error}"
            raise PluginError(f"{noun} {name!r} of {entries[0].origin}: {what}") from error


def _imported(target: str) -> Any:
    from importlib import import_module

    module, _, path = target.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _failure(entry: Entry, error: BaseException) -> str:
    """Why loading a backend failed, in a sentence."""
    if isinstance(error, BackendUnavailableError):
        return str(error)
    if isinstance(error, PluginError):
        return f"{entry.origin}: {error}"
    reason = f"loading {entry.spec.target!r} raised {described(error)}"
    if isinstance(error, ImportError) and entry.spec.install:
        absent, own = (error.name or "").partition(".")[0], entry.spec.target.partition(":")[0].partition(".")[0]
        if absent != own:
            reason += f"; to install what it needs: {entry.spec.install}"
    return reason


def _made(entry: Entry) -> Backend:
    """The backend of an entry, checked."""
    spec = entry.spec
    maker = _imported(spec.target)
    made = maker() if spec.argument is None else maker(spec.argument)
    if not isinstance(made, Backend):
        raise PluginError(f"{spec.target!r} made a {type(made).__name__}, expected a tensorcore.backend.Backend")
    if (reason := contract_mismatch(made.contract, entry.origin)) is not None:
        raise PluginError(reason)
    if getattr(made, "name", None) != spec.name:
        raise PluginError(f"{spec.target!r} made a backend named {getattr(made, 'name', None)!r}, not {spec.name!r}")
    require_sound(made)
    return made


#: The host of the process.
host: Final = Host()
