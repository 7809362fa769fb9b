"""What plugins register besides backends: strings, so that registering imports nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["CommandSpec", "ConformanceSpec", "DatasetSpec", "ModelSpec"]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model that ``tensorcore train NAME`` and `Host.model` can make.

    Attributes:
        name: as users write it, such as ``"classifier"``.
        target: ``"package.module:callable"``, called with keyword arguments, returns an ``nn.Module``.
        description: one line for ``tensorcore models``.
        requires: import names that must be findable (checked without importing them).
        install: what to type where a requirement is missing.
        datasets: names of data sets the model fits as it is, the usual one first.
        weights: names of published weights, which the target takes as ``weights=NAME``.
    """

    name: str
    target: str
    description: str = ""
    requires: tuple[str, ...] = field(default=())
    install: str = ""
    datasets: tuple[str, ...] = field(default=())
    weights: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A data set that ``--data NAME`` and `Host.dataset` can make.

    ``tensorcore train`` needs samples of an input and a label; it passes ``root`` where the user names a folder. For
    ``tensorcore predict`` the target also has ``classes``, names by label, and ``read_image(path, invert=False)``,
    which makes an image file an input.

    Attributes:
        name: as users write it, such as ``"fashion-mnist"``.
        target: ``"package.module:callable"``, called with ``train=True`` or ``False`` and further keyword arguments.
        description: one line for listings.
        requires: import names that must be findable (checked without importing them).
        install: what to type where a requirement is missing.
    """

    name: str
    target: str
    description: str = ""
    requires: tuple[str, ...] = field(default=())
    install: str = ""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A subcommand of ``tensorcore``.

    Attributes:
        name: as users write it, such as ``"conformance"``.
        target: ``"package.module:callable"``; its signature gives the arguments and options.
        help: one line for ``tensorcore --help``, shown without importing the target.
        requires: import names that must be findable (checked without importing them).
        install: what to type where a requirement is missing.
    """

    name: str
    target: str
    help: str = ""
    requires: tuple[str, ...] = field(default=())
    install: str = ""


@dataclass(frozen=True, slots=True)
class ConformanceSpec:
    """Further cases, or declared exceptions, for the conformance suite.

    Attributes:
        name: a name for reports.
        target: ``"package.module:callable"``, called without arguments, returns an iterable of cases or exceptions
            as ``tensorcore_conformance`` defines them.
        description: one line for reports.
        requires: import names that must be findable (checked without importing them).
        install: what to type where a requirement is missing.
    """

    name: str
    target: str
    description: str = ""
    requires: tuple[str, ...] = field(default=())
    install: str = ""
