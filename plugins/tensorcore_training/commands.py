"""``tensorcore summary`` and ``tensorcore history``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["history", "summary"]


def _shape(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(side) for side in text.replace("x", ",").split(","))
    except ValueError:
        raise typer.BadParameter(f"expected a shape such as 1,28,28, got {text!r}") from None


def summary(
    model: Annotated[str, typer.Argument(help="A model that `tensorcore models` lists.")],
    input_size: Annotated[str, typer.Argument(help="Shape of the input, batch included, such as 1,1,28,28.")],
    depth: Annotated[int | None, typer.Option(help="How deep layers are shown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the layers of a model with output shapes, parameters and multiply-adds."""
    import tensorcore as tc
    from tensorcore.plugins.host import host

    known = host.models()
    if model not in known:
        raise typer.BadParameter(f"unknown model {model!r}; known: {', '.join(known) or 'none'}")
    found = tc.summary(host.model(model)(), _shape(input_size), depth=depth)
    typer.echo(json.dumps(found.to_dict(), indent=2) if as_json else str(found))


def history(
    path: Annotated[Path, typer.Argument(help="A checkpoint, a folder of them, or a history saved as JSON.")],
    plot: Annotated[Path | None, typer.Option(help="Draw the figures into this PNG.")] = None,
) -> None:
    """Print the figures of a run by epoch."""
    from tensorcore_training.callbacks import History
    from tensorcore_training.checkpoints import read_checkpoint
    from tensorcore_training.display import figures

    if not path.exists():
        raise typer.BadParameter(f"{path} does not exist")
    if path.suffix == ".json":
        found = History.load(path)
    else:
        found = History()
        found.load_state_dict(read_checkpoint(path)["callbacks"]["History"])
    for row in found:
        typer.echo(figures(row))
    if plot is not None:
        found.plot(plot)
        typer.echo(f"drew {plot}")
