"""A training that is killed at any moment, and taken up again, has the curve of one that was not: bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="its loader starts workers by fork")

PROGRAM = """
    import json, sys
    import tensorcore as tc
    from tensorcore import nn
    from tensorcore.utils.data import DataLoader, Dataset
    from tensorcore_training import CSVLogger, Checkpoint, EarlyStopping, LearningRate, Trainer
    from tensorcore_training.metrics import Accuracy

    class Noisy(Dataset):
        def __init__(self, x, y):
            self.x, self.y = x, y

        def __len__(self):
            return len(self.x)

        def __getitem__(self, index):
            return self.x[index] + 0.1 * tc.randn(8), self.y[index]

    def run(folder):
        tc.manual_seed(7)
        x = tc.randn(150, 8)
        y = (x.sum(1) > 0).long()
        model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
        optimizer = tc.optim.Adam(model.parameters(), lr=0.01)
        loader = DataLoader(
            Noisy(x, y), batch_size=6, shuffle=True, num_workers=2, multiprocessing_context="fork",
            persistent_workers=PERSISTENT,
        )
        schedule = tc.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=60)
        trainer = Trainer(
            model, optimizer, nn.CrossEntropyLoss(), metrics=[Accuracy()], accumulate=2, clip_norm=1.0
        )
        print("ready", flush=True)
        history = trainer.fit(
            loader, (x[:30], y[:30]), epochs=3, progress=False, resume=True,
            callbacks=[
                Checkpoint(folder + "/checkpoints", every=EVERY, best="validation_loss"),
                LearningRate(schedule, every="step"), EarlyStopping(patience=9), CSVLogger(folder + "/log.csv"),
            ],
        )
        found = {
            "losses": [loss.hex() for loss in history.losses],
            "rows": [{key: float(value).hex() for key, value in row.items()} for row in history.rows],
            "model": [
                [value.hex() for value in each.double().flatten().tolist()] for each in model.state_dict().values()
            ],
            "log": open(folder + "/log.csv").read(),
            "drawn": tc.rand(1).item().hex(),
        }
        with open(folder + "/found.json", "w") as file:
            json.dump(found, file)

    if __name__ == "__main__":
        run(sys.argv[1])
"""


def start(program: Path, folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    command = [sys.executable, str(program), str(folder)]
    process = subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def finish(process: subprocess.Popen[str], folder: Path) -> dict[str, object]:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    found: dict[str, object] = json.loads((folder / "found.json").read_text())
    return found


@pytest.mark.parametrize(("every", "persistent"), [(1, True), (3, False)])
def test_killed_at_any_moment(every: int, persistent: bool, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    text = textwrap.dedent(PROGRAM).replace("EVERY", str(every)).replace("PERSISTENT", str(persistent))
    program.write_text(text)
    begin = time.monotonic()
    expected = finish(start(program, tmp_path / "whole"), tmp_path / "whole")
    length = time.monotonic() - begin
    assert len(expected["losses"]) == 3 * 13  # type: ignore[arg-type]

    folder = tmp_path / "killed"
    moments = random.Random(every)
    kills = 0
    for _ in range(3):
        process = start(program, folder)
        try:
            process.wait(moments.uniform(0.02, 0.4) * length)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate(timeout=60)
    assert kills
    assert finish(start(program, folder), folder) == expected
