"""The trainer: what it computes, beside loops written by hand, and what it tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore.utils.data import DataLoader, TensorDataset
from tensorcore_training import Callback, Checkpoint, EarlyStopping, History, LearningRate, Trainer
from tensorcore_training.metrics import Accuracy, ConfusionMatrix

X = tc.linspace(-1, 1, 40).reshape(20, 2)
Y = (X.sum(1) > 0.1).long()


def network(seed: int = 1) -> Any:
    tc.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))


def trainer_of(model: Any, lr: float = 0.1, **options: Any) -> Trainer:
    return Trainer(model, optim.SGD(model.parameters(), lr=lr), nn.CrossEntropyLoss(), **options)


def by_hand(batches: list[Any], epochs: int, clip: float | None = None) -> list[float]:
    """The losses of a plain loop, and then the parameters."""
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(epochs):
        for group in batches:
            optimizer.zero_grad()
            total = 0.0
            for x, y in group:
                loss = nn.functional.cross_entropy(model(x), y) / len(group)
                loss.backward()
                total += loss.item()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            losses.append(total)
    return losses + [value for each in model.parameters() for value in each.flatten().tolist()]


@pytest.mark.parametrize(("accumulate", "clip"), [(1, None), (1, 0.05), (3, None), (3, 0.05)])
def test_the_loop_is_the_one_by_hand(accumulate: int, clip: float | None) -> None:
    batches = [(X[i : i + 5], Y[i : i + 5]) for i in range(0, 20, 5)]
    groups = [batches[i : i + accumulate] for i in range(0, 4, accumulate)]
    model = network()
    history = trainer_of(model, accumulate=accumulate, clip_norm=clip).fit(batches, epochs=3, progress=False)
    found = history.losses + [value for each in model.parameters() for value in each.flatten().tolist()]
    assert found == pytest.approx(by_hand(groups, 3, clip), rel=1e-6)


def test_clip_value() -> None:
    model = network()
    before = [each.clone() for each in model.parameters()]
    trainer_of(model, lr=1.0, clip_value=1e-3).fit((X, Y), progress=False, batch_size=20)
    for old, new in zip(before, model.parameters(), strict=True):
        assert float((old - new).abs().max()) <= 1e-3 * (1 + 1e-3)


def test_history() -> None:
    history = trainer_of(network(), metrics=[Accuracy(), ConfusionMatrix(2)]).fit(
        (X, Y), (X[:7], Y[:7]), epochs=2, batch_size=8, progress=False
    )
    assert [row["epoch"] for row in history] == [1, 2]
    assert history["steps"] == [3, 6]
    assert list(history.rows[0]) == [
        "epoch", "steps", "loss", "accuracy", "confusion_matrix", "lr", "validation_loss", "validation_accuracy",
        "validation_confusion_matrix",
    ]  # fmt: skip
    assert sum(map(sum, history["confusion_matrix"][0])) == 20
    assert len(history.losses) == 6
    assert len(history) == 2
    with pytest.raises(KeyError, match="there are: epoch, steps, loss"):
        history["speed"]


def test_the_loss_of_an_epoch_weighs_samples_alike() -> None:
    model = nn.Linear(2, 2)
    history = trainer_of(model, lr=0.0).fit((X, Y), epochs=1, batch_size=8, progress=False)
    whole = nn.functional.cross_entropy(model(X), Y).item()
    assert history["loss"] == [pytest.approx(whole, rel=1e-6)]
    assert trainer_of(model).evaluate((X, Y), batch_size=7)["loss"] == pytest.approx(whole, rel=1e-6)


def test_fit_goes_on() -> None:
    first, second = network(), network()
    one, two = trainer_of(first), trainer_of(second)
    batches = [(X, Y)]
    one.fit(batches, epochs=4, progress=False)
    two.fit(batches, epochs=1, progress=False)
    history = two.fit(batches, epochs=4, progress=False)
    assert history["epoch"] == [1, 2, 3, 4]
    assert all(bool((a == b).all()) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_evaluation_leaves_modes_alone() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.BatchNorm1d(2))
    model[2].eval()
    trainer = trainer_of(model, metrics=[Accuracy()])
    before = {name: each.clone() for name, each in model.state_dict().items()}
    assert trainer.evaluate((X, Y)) == trainer.evaluate((X, Y))
    assert trainer.predict((X, Y), batch_size=3).shape == (20, 2)
    assert [each.training for each in (model, model[0], model[1], model[2])] == [True, True, True, False]
    assert all(bool((each == before[name]).all()) for name, each in model.state_dict().items())


class Two(nn.Module):
    """Two inputs, by place or by name, and outputs in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(tc.ones(()))

    def forward(self, a: Any, b: Any) -> Any:
        return {"sum": (a + b) * self.scale, "parts": (a, b)}


@pytest.mark.parametrize("inputs", [(X, X), [X, X], {"b": X, "a": X}])
def test_several_inputs_and_outputs(inputs: Any) -> None:
    model = Two()
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.1), lambda out, y: (out["sum"] - y).square().mean())
    trainer.fit([(inputs, 3 * X)], epochs=60, progress=False)
    assert model.scale.item() == pytest.approx(1.5, abs=0.05)
    outputs = trainer.predict([(inputs, 0), (inputs, 0)])
    assert outputs["sum"].shape == outputs["parts"][1].shape == (40, 2)


def test_own_step() -> None:
    model = nn.Linear(2, 2)

    def step(model: Any, batch: Any) -> Any:
        (x,) = batch
        return (model(x) - x).square().mean()

    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.1), step=step)
    history = trainer.fit(TensorDataset(X), TensorDataset(X), epochs=30, progress=False)
    assert history["validation_loss"][-1] < 0.01 < history["loss"][0]
    assert trainer.predict(DataLoader(TensorDataset(X), 6)).shape == (20, 2)
    assert trainer.predict(X).shape == (20, 2)


def test_closures_of_lbfgs() -> None:
    model = nn.Linear(2, 1)
    trainer = Trainer(model, optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe"), nn.MSELoss())
    history = trainer.fit([(X, X.sum(1, keepdim=True))], epochs=3, progress=False)
    assert history["loss"][-1] < 1e-6


def test_mixed_precision() -> None:
    scaler = tc.amp.GradScaler("cpu", init_scale=64.0)
    seen = []
    model = network()
    model.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    trainer = trainer_of(
        model, autocast=lambda: tc.autocast("cpu", dtype=tc.bfloat16), scaler=scaler, clip_norm=1.0, accumulate=2
    )
    history = trainer.fit((X, Y), (X, Y), epochs=20, batch_size=5, progress=False)
    assert set(seen) == {tc.bfloat16}
    assert history["loss"][-1] < history["loss"][0]
    assert trainer.state_dict()["scaler"]["scale"] == 64.0


class Told(Callback):
    """Notes what it is told."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.notes: list[Any] = []
        self.fail_at = fail_at

    def on_fit_begin(self, trainer: Trainer) -> None:
        self.notes.append("fit")

    def on_epoch_begin(self, trainer: Trainer) -> None:
        self.notes.append(("epoch", trainer.epoch))

    def on_step_end(self, trainer: Trainer) -> None:
        self.notes.append(("step", trainer.steps, trainer.batch))
        if trainer.steps == self.fail_at:
            raise KeyboardInterrupt

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        self.notes.append(("end", trainer.epoch, round(row["lr"], 4)))

    def on_fit_end(self, trainer: Trainer) -> None:
        self.notes.append("over")


def test_what_callbacks_are_told() -> None:
    told = Told()
    trainer_of(network(), accumulate=2).fit((X, Y), epochs=2, batch_size=8, callbacks=[told], progress=False)
    assert told.notes == [
        "fit", ("epoch", 1), ("step", 1, 2), ("step", 2, 3), ("end", 1, 0.1),
        ("epoch", 2), ("step", 3, 2), ("step", 4, 3), ("end", 2, 0.1), "over",
    ]  # fmt: skip


def test_callbacks_are_told_of_an_interrupt() -> None:
    told = Told(fail_at=2)
    with pytest.raises(KeyboardInterrupt):
        trainer_of(network()).fit((X, Y), epochs=2, batch_size=8, callbacks=[told], progress=False)
    assert told.notes[-2:] == [("step", 2, 2), "over"]


def test_early_stopping() -> None:
    class Figures(Callback):
        values = iter([3.0, 2.0, 2.5, 1.9, 4.0, 5.0, 0.0])

        def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
            row["my_loss"] = next(self.values)
            trainer.model.weight.data.fill_(row["my_loss"])

    model = nn.Linear(2, 2)
    stopping = EarlyStopping("my_loss", patience=2, restore_best=True)
    history = trainer_of(model).fit([(X, Y)], epochs=9, callbacks=[Figures(), stopping], progress=False)
    assert (len(history), stopping.best, stopping.best_epoch) == (6, 1.9, 4)
    assert model.weight[0, 0].item() == pytest.approx(1.9)


@pytest.mark.parametrize(("mode", "name", "expected"), [("auto", "accuracy", 3), ("min", "accuracy", 2)])
def test_modes_of_early_stopping(mode: str, name: str, expected: int) -> None:
    stopping = EarlyStopping(name, patience=1, mode=mode)
    trainer = trainer_of(network())
    for epoch, value in enumerate([0.5, 0.6, 0.55, 0.7], 1):
        trainer.epoch = epoch
        stopping.on_epoch_end(trainer, {name: value})
        if trainer.should_stop:
            break
    assert epoch == expected


def test_learning_rates() -> None:
    model = network()
    trainer = trainer_of(model, lr=1.0)
    steps = optim.lr_scheduler.StepLR(trainer.optimizer, 1, 0.5)
    history = trainer.fit((X, Y), epochs=3, callbacks=[LearningRate(steps)], progress=False)
    assert history["lr"] == [1.0, 0.5, 0.25]
    trainer = trainer_of(model, lr=1.0)
    each = optim.lr_scheduler.StepLR(trainer.optimizer, 1, 0.5)
    history = trainer.fit((X, Y), epochs=2, batch_size=10, callbacks=[LearningRate(each, "step")], progress=False)
    assert history["lr"] == [0.25, 0.0625]
    trainer = trainer_of(model, lr=1e-6)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(trainer.optimizer, patience=0, factor=0.5)
    history = trainer.fit([(X, Y)], epochs=3, callbacks=[LearningRate(plateau)], progress=False)
    assert history["lr"] == [1e-6, 1e-6, 5e-7]


def test_resume_takes_an_earlier_checkpoint_where_the_latest_is_damaged(tmp_path: Path) -> None:
    def fit(epochs: int, resume: bool) -> Any:
        model = network()
        history = trainer_of(model).fit(
            (X, Y), epochs=epochs, batch_size=8, callbacks=[Checkpoint(tmp_path)], progress=False, resume=resume
        )
        return history.losses, [each.tolist() for each in model.parameters()]

    whole_model = network()
    whole = trainer_of(whole_model).fit((X, Y), epochs=4, batch_size=8, progress=False)
    fit(3, False)
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["step-00000006.pt", "step-00000009.pt"]
    latest = tmp_path / names[1]
    latest.write_bytes(latest.read_bytes()[:-500])
    (tmp_path / "step-00000012.pt.unfinished").write_bytes(b"half")
    with pytest.warns(UserWarning, match=r"step-00000009.pt cannot be read, an earlier one is taken"):
        losses, parameters = fit(4, True)
    assert losses == whole.losses
    assert parameters == [each.tolist() for each in whole_model.parameters()]
    assert not list(tmp_path.glob("*.unfinished"))
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match=r"no checkpoint in .* can be read"):
        fit(5, True)


def test_checkpoints_are_not_written_over_by_another_training(tmp_path: Path) -> None:
    model = network()
    trainer_of(model).fit((X, Y), callbacks=[Checkpoint(tmp_path)], progress=False)
    with pytest.raises(FileExistsError, match="resume=True"):
        trainer_of(model).fit((X, Y), callbacks=[Checkpoint(tmp_path)], progress=False)


def test_best_and_all_checkpoints(tmp_path: Path) -> None:
    saver = Checkpoint(tmp_path, every=2, keep=None, best="validation_loss")
    trainer = trainer_of(network())
    history = trainer.fit((X, Y), (X, Y), epochs=2, batch_size=8, callbacks=[saver], progress=False)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "best.pt", *(f"step-{i:08}.pt" for i in (2, 3, 4, 6)),
    ]  # fmt: skip
    other = trainer_of(network(2))
    found = other.fit((X, Y), epochs=2, progress=False, resume=tmp_path / "best.pt")
    assert saver.best_value == min(history["validation_loss"])
    assert found["epoch"] == [1, 2]
    assert other.evaluate((X, Y))["loss"] == pytest.approx(saver.best_value, rel=1e-6)


def test_resume_in_an_iterable_of_batches(tmp_path: Path) -> None:
    batches = [(X[i : i + 5], Y[i : i + 5]) for i in range(0, 20, 5)]
    whole = trainer_of(network()).fit(batches, epochs=2, progress=False)
    with pytest.raises(KeyboardInterrupt):
        trainer_of(network()).fit(
            batches, epochs=2, callbacks=[Checkpoint(tmp_path, every=1), Told(fail_at=6)], progress=False
        )
    resumed = trainer_of(network(3)).fit(
        batches, epochs=2, callbacks=[Checkpoint(tmp_path, every=1)], progress=False, resume=True
    )
    assert resumed.losses == whole.losses
    assert resumed.rows == whole.rows


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda model, opt: Trainer(model, opt), ValueError, "either loss or step"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss(), accumulate=0), ValueError, "accumulate must be positive"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss(), metrics=[Accuracy()] * 2), ValueError, "different names"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss(), metrics={"loss": Accuracy()}), ValueError, "'loss'"),
        (
            lambda model, opt: Trainer(model, optim.LBFGS(model.parameters()), nn.MSELoss(), accumulate=2),
            ValueError,
            "LBFGS evaluates a batch several times",
        ),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss()).fit([(X, X, X)]), TypeError, "a tuple of 3; use Trainer"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss()).fit([X]), TypeError, "got a Tensor"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss()).fit([]), ValueError, "gave no batch"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss()).predict([]), ValueError, "gave no batch"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss()).fit((X, X), resume=True), ValueError, "needs a Check"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss()).fit((X, X), resume="/none"), FileNotFoundError, "none"),
        (lambda model, opt: Trainer(model, opt, nn.MSELoss()).load_state_dict({}), ValueError, "expected what"),
        (lambda model, opt: EarlyStopping(mode="low"), ValueError, "mode must be"),
        (lambda model, opt: Checkpoint("x", every=0), ValueError, "every must be positive"),
        (lambda model, opt: LearningRate(None, "batch"), ValueError, "'epoch' or 'step'"),
        (
            lambda model, opt: LearningRate(optim.lr_scheduler.ReduceLROnPlateau(opt), "step"),
            ValueError,
            "ReduceLROnPlateau looks at",
        ),
        (
            lambda model, opt: Trainer(model, opt, nn.MSELoss()).fit((X, X), callbacks=[EarlyStopping("speed")]),
            ValueError,
            "EarlyStopping: there is no figure 'speed'; there are: loss, lr",
        ),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    model = nn.Linear(2, 2)
    with pytest.raises(error, match=message):
        call(model, optim.SGD(model.parameters(), lr=0.1))


def test_histories_are_kept(tmp_path: Path) -> None:
    history = trainer_of(network(), metrics=[Accuracy()]).fit((X, Y), (X, Y), epochs=2, progress=False)
    history.save(tmp_path / "history.json")
    again = History.load(tmp_path / "history.json")
    assert (again.rows, again.losses) == (history.rows, history.losses)
    pytest.importorskip("matplotlib")
    again.plot(tmp_path / "history.png")
    assert (tmp_path / "history.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(ValueError, match="no epochs"):
        History().plot(tmp_path / "empty.png")
