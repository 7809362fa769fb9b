"""What a plugin registers for a backend: strings, so that registering imports nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from tensorcore.backend.contract import CONTRACT_VERSION

__all__ = ["BackendSpec"]


@dataclass(frozen=True, slots=True)
class BackendSpec:
    """A backend that can be loaded when its device is first used.

    Attributes:
        name: the device name users write, such as ``"cpu"``.
        target: ``"package.module:Class"``; called without arguments, or with ``argument``, to make the `Backend`.
        contract: version of the contract the backend is written for.
        requires: import names that must be findable for the backend to work (checked without importing them).
        priority: the available backend of highest priority is the default device.
        description: one line for ``tensorcore backends``.
        install: what to type where a requirement is missing, such as ``pip install "tensorcore-framework[cuda13]"``.
        argument: passed to the target where one class serves several devices.
    """

    name: str
    target: str
    contract: int = CONTRACT_VERSION
    requires: tuple[str, ...] = field(default=())
    priority: int = 0
    description: str = ""
    install: str = ""
    argument: str | None = None
