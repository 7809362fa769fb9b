"""The commands and their options; what they do is imported when they are run."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import typer.core
import typer.main

from tensorcore.cli.main import InterruptError

__all__ = ["app", "command_of", "run"]

#: Click's base class of wrong command lines; newer releases of typer carry click inside.
_MISUSE: Final[type[Exception]] = typer.BadParameter.__bases__[0]


class _Deferred(typer.core.TyperCommand):
    """A plugin's command: known by name and help, imported when it is used."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real command."""
        from tensorcore.plugins.host import host

        target = host.command(str(self.name))
        found = target
        if not isinstance(target, typer.Typer):
            found = typer.Typer(add_completion=False)
            found.command(name=self.name, help=self.help)(target)
        return typer.main.get_command(found).make_context(info_name, args, parent=parent, **extra)


class _Commands(typer.core.TyperGroup):
    """The built-in commands and those of the plugins; a built-in one keeps its name."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, built-in ones first."""
        from tensorcore.plugins.host import host

        own = list(self.commands)
        return own + [name for name in host.commands() if name not in own]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, or ``None``."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        from tensorcore.plugins.host import host

        spec = host.commands().get(cmd_name)
        return None if spec is None else _Deferred(name=spec.name, help=spec.help)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the words name."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, typer.Abort):
            raise InterruptError from None


app = typer.Typer(
    cls=_Commands,
    help="tensorcore: PyTorch's programming model on any array engine.",
    epilog="Exit codes: 0 success, 1 failure, 2 wrong usage. Any command takes --traceback to show where it failed.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

Device = Annotated[str | None, typer.Option(help="Where to compute, such as cpu or cuda:1; see `tensorcore backends`.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Schedule(StrEnum):
    """How the learning rate goes on."""

    LINEAR = "linear"
    CONSTANT = "constant"


class Style(StrEnum):
    """What a new backend is made of."""

    ARRAY_API = "array-api"
    FROM_SCRATCH = "from-scratch"


class License(StrEnum):
    """The licenses of new projects, by their SPDX identifiers."""

    APACHE = "Apache-2.0"
    MIT = "MIT"
    BSD = "BSD-3-Clause"


Directory = Annotated[Path, typer.Option(help="Where the project's folder goes; it is named as the distribution.")]
Author = Annotated[str, typer.Option(help="Who is named in the license; Git's user if not given.", show_default=False)]


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error was raised.")] = False,
) -> None:
    """What runs before the command; alone, it shows the help."""
    if version:
        import tensorcore

        typer.echo(f"tensorcore {tensorcore.__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@app.command()
def quickstart(
    out: Annotated[Path | None, typer.Option(help="Folder for what it writes; runs/quickstart if not given.")] = None,
    device: Device = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Train on the first N images only.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the files of an earlier run in --out.")] = False,
) -> None:
    """Train the image classifier on the images that come along, save and reload it, and draw its predictions."""
    from tensorcore.cli.quickstart import show_quickstart

    show_quickstart(out, device=device, epochs=epochs, seed=seed, limit=limit, force=force)


@app.command()
def train(
    model: Annotated[str, typer.Argument(help="A model; see `tensorcore models`.")],
    data: Annotated[str | None, typer.Option(help="A data set; see `tensorcore datasets`.")] = None,
    data_root: Annotated[Path | None, typer.Option(help="Folder with the data set's files.")] = None,
    device: Device = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training data.")] = 5,
    batch_size: Annotated[int, typer.Option(min=1, help="Samples in a step.")] = 64,
    lr: Annotated[float, typer.Option(help="Learning rate of AdamW, at the start.")] = 1e-3,
    schedule: Annotated[
        Schedule, typer.Option(help="How the learning rate goes on: down to zero, or as it is.")
    ] = Schedule.LINEAR,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Train on the first N samples only.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for model.safetensors and metrics.json; runs/MODEL if not given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the files of an earlier run.")] = False,
) -> None:
    """Train a model and save it."""
    from tensorcore.cli.train import Settings, show_training

    settings = Settings(epochs=epochs, batch_size=batch_size, lr=lr, schedule=schedule.value, seed=seed, limit=limit)
    folder = Path("runs") / model if out is None else out
    show_training(model, data, folder, settings, data_root=data_root, device=device, force=force)


@app.command()
def predict(
    checkpoint: Annotated[Path, typer.Argument(help="A trained model: model.safetensors, or a state_dict by save().")],
    images: Annotated[list[Path], typer.Argument(help="Image files of any size and colour.")],
    invert: Annotated[bool, typer.Option("--invert", help="For pictures that are dark on bright.")] = False,
    model: Annotated[str | None, typer.Option(help="The model, where the file does not say it.")] = None,
    data: Annotated[str | None, typer.Option(help="The data set it was trained on, where the file does not.")] = None,
    device: Device = None,
    json: Json = False,
) -> None:
    """Say what a trained model sees in image files."""
    from tensorcore.cli.predict import show_predictions

    show_predictions(checkpoint, images, invert=invert, model=model, data=data, device=device, as_json=json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def profile(
    ctx: typer.Context,
    script: Annotated[Path, typer.Argument(help="A Python program; what follows are its arguments.")],
    out: Annotated[Path | None, typer.Option(help="File for the trace, to be opened in Perfetto (.json, .gz).")] = None,
    sort_by: Annotated[str, typer.Option(help="Column of the table by ops.")] = "self_cpu_time_total",
    limit: Annotated[int, typer.Option(min=1, help="Rows of each table.")] = 20,
    json: Json = False,
) -> None:
    """Run a program and show which ops and modules took its time and memory."""
    from tensorcore.cli.profile import show_profile

    show_profile(script, ctx.args, out=out, sort_by=sort_by, limit=limit, as_json=json)


@app.command()
def backends(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the tracebacks of those that failed.")] = False,
    json: Json = False,
) -> None:
    """List the array engines: version, devices, state and, if off, why."""
    from tensorcore.cli.listings import show_backends

    show_backends(verbose=verbose, as_json=json)


@app.command()
def models(json: Json = False) -> None:
    """List the models that can be trained."""
    from tensorcore.cli.listings import show_models

    show_models(as_json=json)


@app.command()
def datasets(json: Json = False) -> None:
    """List the data sets."""
    from tensorcore.cli.listings import show_datasets

    show_datasets(as_json=json)


@app.command()
def info(json: Json = False) -> None:
    """Show versions, platform, default device and plugins."""
    from tensorcore.cli.listings import show_info

    show_info(as_json=json)


@app.command("new-backend")
def new_backend(
    name: Annotated[str, typer.Argument(help="The device's name; the distribution is tensorcore-NAME.")],
    style: Annotated[
        Style,
        typer.Option(
            help="array-api: an Array API namespace in a dozen lines; from-scratch: each primitive written out."
        ),
    ] = Style.ARRAY_API,
    namespace: Annotated[
        str | None, typer.Option(help="The module array-api is made of; array_api_compat.numpy if not given.")
    ] = None,
    directory: Directory = Path(),
    license: Annotated[License, typer.Option(help="The project's license.")] = License.APACHE,
    author: Author = "",
    json: Json = False,
) -> None:
    """Write a backend of your own: a package to install, with tests, CI and README, that passes as it is."""
    from tensorcore.cli import projects

    options = {"license": license.value, "author": author}
    made = projects.new_backend(name, style=style.value, namespace=namespace, folder=directory, options=options)
    projects.show(made, json)


@app.command("new-model")
def new_model(
    name: Annotated[str, typer.Argument(help="The model's name; the distribution is tensorcore-NAME.")],
    directory: Directory = Path(),
    license: Annotated[License, typer.Option(help="The project's license.")] = License.APACHE,
    author: Author = "",
    json: Json = False,
) -> None:
    """Write a model of your own: a package to install, with tests, CI and README, that passes as it is."""
    from tensorcore.cli import projects

    made = projects.new_model(name, folder=directory, options={"license": license.value, "author": author})
    projects.show(made, json)


def run(words: Sequence[str]) -> int:
    """Run a command line and return its exit code, 0 unless the command returns another; what is wrong is raised."""
    result = typer.main.get_command(app).main(list(words), prog_name="tensorcore", standalone_mode=False)
    return result if type(result) is int else 0


def command_of(error: Exception) -> str | None:
    """The command whose options or arguments were wrong, or ``None`` where it is another error."""
    if not isinstance(error, _MISUSE):
        return None
    context = getattr(error, "ctx", None)
    return "tensorcore" if context is None else str(context.command_path)
