"""Translate dates, as people write them, into ISO 8601: a sequence-to-sequence transformer.

"Tue, 3 Mar 1987" and "03/03/87, a Tuesday" become "1987-03-03". Encoder and decoder are `nn.Transformer`; sentences of
different lengths are padded, and masks keep the padding out of sight. Trained with label smoothing and the learning
rate of "Attention is all you need" (arXiv:1706.03762), then judged by dates it has not seen, decoded greedily.

    python translation.py --steps 1500
"""

from __future__ import annotations

import argparse
import datetime
import random

import tensorcore as tc
from tensorcore import nn
from tensorcore.nn.utils.rnn import pad_sequence

FORMS = ["{d} {month} {y}", "{mon} {d}, {y}", "{day}, {d} {mon} {y}", "{d}.{m}.{y}", "{m:02}/{d:02}/{yy:02}, a {day}"]
MONTHS = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
PAD, BEGIN, END = 0, 1, 2
CHARACTERS = sorted(set("".join(MONTHS + DAYS)) | set("0123456789 .,/-a"))
NUMBERS = {character: number for number, character in enumerate(CHARACTERS, 3)}


def sentence(rng: random.Random) -> tuple[str, str]:
    """A date between 1950 and 2049 as somebody writes it, and in ISO 8601."""
    date = datetime.date(1950, 1, 1) + datetime.timedelta(days=rng.randrange(36524))
    month, day = MONTHS[date.month - 1], DAYS[date.weekday()]
    written = rng.choice(FORMS).format(
        d=date.day, m=date.month, y=date.year, yy=date.year % 100, month=month, mon=month[:3], day=day
    )
    return written, date.isoformat()


def encode(texts: list[str]) -> tc.Tensor:
    """Texts between marks of beginning and end, padded, (N, L)."""
    return pad_sequence([tc.tensor([BEGIN, *(NUMBERS[c] for c in text), END]) for text in texts], batch_first=True)


def decode(numbers: list[int]) -> str:
    """The text up to the mark of its end."""
    end = numbers.index(END) if END in numbers else len(numbers)
    return "".join(CHARACTERS[number - 3] for number in numbers[:end] if number >= 3)


class Translator(nn.Module):
    """Characters of source (N, S) and target (N, T) to logits of the target's next ones, (N, T, characters)."""

    def __init__(self, width: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        characters = len(CHARACTERS) + 3
        self.embed = nn.Embedding(characters, width, padding_idx=PAD)
        self.places = nn.Parameter(0.02 * tc.randn(48, width))
        self.transformer = nn.Transformer(
            width, heads, layers, layers, 4 * width, dropout, activation="gelu", batch_first=True
        )
        self.head = nn.Linear(width, characters)

    def placed(self, text: tc.Tensor) -> tc.Tensor:
        return self.embed(text) + self.places[: text.size(1)]

    def forward(self, source: tc.Tensor, target: tc.Tensor) -> tc.Tensor:
        unseen = nn.Transformer.generate_square_subsequent_mask(target.size(1), device=target.device)
        padding = source == PAD
        return self.head(
            self.transformer(
                self.placed(source),
                self.placed(target),
                tgt_mask=unseen,
                tgt_is_causal=True,
                src_key_padding_mask=padding,
                memory_key_padding_mask=padding,
            )
        )

    @tc.no_grad()
    def translate(self, source: tc.Tensor) -> list[str]:
        """What the model takes to be likeliest, a character at a time."""
        self.eval()
        target = tc.full((len(source), 1), BEGIN, device=source.device)
        for _ in range(11):
            target = tc.cat([target, self(source, target)[:, -1:].argmax(-1)], dim=1)
        self.train()
        return [decode(row) for row in target[:, 1:].tolist()]


def main(arguments: list[str] | None = None) -> list[float]:
    """Train, translate dates that were not seen, and give the loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--lr", type=float, default=2e-3, help="the highest, after a tenth of the steps")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    rng = random.Random(args.seed)
    tests = [sentence(rng) for _ in range(100)]
    model = Translator(args.width, args.heads, args.layers, args.dropout).to(args.device)
    loss_of = nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=0.05)
    optimizer = tc.optim.Adam(model.parameters(), lr=args.lr, betas=(0.9, 0.98), eps=1e-9)
    warm = max(1, args.steps // 10)
    schedule = tc.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, (warm / (step + 1)) ** 0.5)
    )

    losses: list[float] = []
    for step in range(1, args.steps + 1):
        written, dates = zip(*(sentence(rng) for _ in range(args.batch_size)), strict=True)
        source, target = encode(list(written)).to(args.device), encode(list(dates)).to(args.device)
        logits = model(source, target[:, :-1])
        loss = loss_of(logits.transpose(1, 2), target[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 50 == 0 or step == args.steps:
            print(f"step {step}/{args.steps}  loss {losses[-1]:.4f}  learning rate {schedule.get_last_lr()[0]:.2e}")

    found = model.translate(encode([written for written, _ in tests]).to(args.device))
    right = sum(text == date for text, (_, date) in zip(found, tests, strict=True))
    print(f"{right} of {len(tests)} dates that were not seen are right")
    for text, (written, _) in list(zip(found, tests, strict=True))[:5]:
        print(f"  {written:28} {text}")
    return losses


if __name__ == "__main__":
    main()
