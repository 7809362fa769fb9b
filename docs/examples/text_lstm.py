"""Learn to write from a text file: a recurrent language model of characters.

The text is cut into as many strands as a batch has rows, and read a window at a time: the state of the LSTM goes on
from window to window, the gradient does not (truncated backpropagation through time). The learning rate falls when the
loss on the last tenth of the text, which is never trained on, stops falling.

    python text_lstm.py --data shakespeare.txt --epochs 5
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import tensorcore as tc
from tensorcore import nn

State = tuple[tc.Tensor, tc.Tensor]


class Alphabet:
    """The characters of a text, numbered."""

    def __init__(self, text: str) -> None:
        self.letters = sorted(set(text))
        self.numbers = {letter: number for number, letter in enumerate(self.letters)}

    def encode(self, text: str) -> tc.Tensor:
        return tc.tensor([self.numbers[letter] for letter in text])

    def decode(self, numbers: list[int]) -> str:
        return "".join(self.letters[number] for number in numbers)


class LanguageModel(nn.Module):
    """Characters (N, L) and a state to logits of the next ones (N, L, characters) and the next state."""

    def __init__(self, characters: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.embed = nn.Embedding(characters, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(width, characters)
        # An LSTM that begins by remembering learns sooner; of each four quarters the second is the gate that forgets.
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_ih"):
                nn.init.constant_(parameter[width : 2 * width], 1.0)

    def forward(self, text: tc.Tensor, state: State | None = None) -> tuple[tc.Tensor, State]:
        out, state = self.lstm(self.drop(self.embed(text)), state)
        return self.head(self.drop(out)), state


def windows(text: tc.Tensor, rows: int, length: int) -> Iterator[tuple[tc.Tensor, tc.Tensor]]:
    """Windows of ``rows`` strands and, one further on, what is to be predicted, both (rows, length)."""
    strand = (len(text) - 1) // rows
    inputs = text[: rows * strand].view(rows, strand)
    targets = text[1 : rows * strand + 1].view(rows, strand)
    yield from zip(inputs.split(length, dim=1), targets.split(length, dim=1), strict=True)


@tc.no_grad()
def validate(model: LanguageModel, text: tc.Tensor) -> float:
    """Mean loss over the text in nats a character."""
    model.eval()
    total, state = 0.0, None
    for inputs, targets in windows(text, 1, 256):
        logits, state = model(inputs, state)
        total += nn.functional.cross_entropy(logits[0], targets[0], reduction="sum").item()
    return total / (len(text) - 1)


@tc.no_grad()
def write(model: LanguageModel, alphabet: Alphabet, start: str, count: int, temperature: float, device: str) -> str:
    """``start`` and ``count`` characters more, each drawn from what the model expects."""
    model.eval()
    numbers, state = alphabet.encode(start).to(device).unsqueeze(0), None
    written = start
    for _ in range(count):
        logits, state = model(numbers, state)
        numbers = tc.multinomial(tc.softmax(logits[:, -1] / temperature, dim=-1), 1)
        written += alphabet.decode(numbers[0].tolist())
    return written


def main(arguments: list[str] | None = None) -> list[float]:
    """Train, write a few lines, and give the loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).with_name("shakespeare.txt"), help="text file")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10**9, help="at most so many steps")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    text = args.data.read_text("utf-8")
    alphabet = Alphabet(text)
    training, held_out = alphabet.encode(text).to(args.device).tensor_split([int(0.9 * len(text))])
    model = LanguageModel(len(alphabet.letters), args.width, args.layers, args.dropout).to(args.device)
    optimizer = tc.optim.Adam(model.parameters(), lr=args.lr)
    schedule = tc.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)

    losses: list[float] = []
    for epoch in range(1, args.epochs + 1):
        model.train()
        state: State | None = None
        for inputs, targets in windows(training, args.batch_size, args.window):
            if len(losses) == args.steps:
                break
            logits, state = model(inputs, state)
            state = (state[0].detach(), state[1].detach())
            loss = nn.functional.cross_entropy(logits.transpose(1, 2), targets)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            losses.append(loss.item())
            if len(losses) % 20 == 0:
                print(f"epoch {epoch}/{args.epochs}  step {len(losses)}  perplexity {math.exp(losses[-1]):.2f}")
        held_out_loss = validate(model, held_out)
        schedule.step(held_out_loss)
        rate = optimizer.param_groups[0]["lr"]
        print(f"epoch {epoch}/{args.epochs}  held-out perplexity {math.exp(held_out_loss):.2f}  learning rate {rate:g}")
    print(write(model, alphabet, text[:1], 200, args.temperature, args.device))
    return losses


if __name__ == "__main__":
    main()
