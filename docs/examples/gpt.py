"""A small GPT that learns to write from a text file, character by character.

A decoder-only transformer with normalisation before each part, attention to what came before, and one matrix for both
embedding and output. AdamW decays matrices alone; the learning rate warms up and falls along a cosine. ``--checkpoint``
saves everything that training needs, and goes on from there when the file exists.

    python gpt.py --data shakespeare.txt --steps 2000
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore import nn


class Attention(nn.Module):
    """Each place of (N, L, width) looks back, with several heads at once."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        count, length, width = x.shape
        q, k, v = self.qkv(x).view(count, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self.out(seen.transpose(1, 2).reshape(count, length, width))


class Block(nn.Module):
    """Attention, then a perceptron at each place; both add to what they are given."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        x = x + self.drop(self.attention(self.norm1(x)))
        return x + self.drop(self.mlp(self.norm2(x)))


class GPT(nn.Module):
    """Characters (N, L) to logits of the next ones, (N, L, characters); L is ``context`` at most."""

    def __init__(self, characters: int, context: int, width: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.context = context
        self.tokens, self.places = nn.Embedding(characters, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList([Block(width, heads, dropout) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, characters, bias=False)
        self.apply(self.initialize)
        self.head.weight = self.tokens.weight

    @staticmethod
    def initialize(module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, text: tc.Tensor) -> tc.Tensor:
        x = self.tokens(text) + self.places(tc.arange(text.size(1), device=text.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    @tc.no_grad()
    def write(self, text: tc.Tensor, count: int, among: int) -> tc.Tensor:
        """``text`` and ``count`` characters more, each drawn from the ``among`` likeliest."""
        self.eval()
        for _ in range(count):
            likeliest, numbers = self(text[:, -self.context :])[:, -1].topk(among)
            chosen = tc.multinomial(likeliest.softmax(-1), 1)
            text = tc.cat([text, numbers.gather(1, chosen)], dim=1)
        return text


def main(arguments: list[str] | None = None) -> list[float]:
    """Train, write a few lines, and give the loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).with_name("shakespeare.txt"), help="text file")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, help="file to save to, and to go on from")
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    text = args.data.read_text("utf-8")
    letters = sorted(set(text))
    data = tc.tensor([letters.index(letter) for letter in text])
    model = GPT(len(letters), args.context, args.width, args.heads, args.layers, args.dropout).to(args.device)
    print(f"{len(text):,} characters, {sum(p.numel() for p in model.parameters()):,} parameters")

    matrices = [parameter for parameter in model.parameters() if parameter.dim() >= 2]
    others = [parameter for parameter in model.parameters() if parameter.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = tc.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.95))
    warm = max(1, args.steps // 20)
    schedule = tc.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, 0.55 + 0.45 * math.cos(math.pi * step / args.steps))
    )
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    done = 0
    if args.checkpoint and args.checkpoint.exists():
        saved = tc.load(args.checkpoint)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        tc.set_rng_state(saved["random"])
        done = saved["step"]

    losses: list[float] = []
    start = time.perf_counter()
    for step in range(done + 1, args.steps + 1):
        places = tc.randint(len(data) - args.context, (args.batch_size,)).unsqueeze(1) + tc.arange(args.context + 1)
        batch = data[places].to(args.device)
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 50 == 0 or step == args.steps:
            speed = (step - done) * args.batch_size * args.context / (time.perf_counter() - start)
            print(f"step {step}/{args.steps}  loss {losses[-1]:.4f}  {speed:,.0f} characters/s")
    if args.checkpoint:
        states = {name: part.state_dict() for name, part in parts.items()}
        tc.save({**states, "random": tc.get_rng_state(), "step": args.steps}, args.checkpoint)

    written = model.write(data[None, :1].to(args.device), 200, min(10, len(letters)))
    print("".join(letters[number] for number in written[0].tolist()))
    return losses


if __name__ == "__main__":
    main()
