"""A small sequence-to-sequence Transformer with masks, teacher forcing, label smoothing and greedy decoding."""

import math

import torch
import torch.nn as nn


class Positions(nn.Module):
    def __init__(self, width, length=32):
        super().__init__()
        place = torch.arange(length).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        table = torch.zeros(length, width)
        table[:, 0::2] = torch.sin(place * rate)
        table[:, 1::2] = torch.cos(place * rate)
        self.register_buffer("table", table)

    def forward(self, x):
        return x + self.table[: x.size(1)]


class Translator(nn.Module):
    def __init__(self, words=12, width=16):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.places = Positions(width)
        self.core = nn.Transformer(
            width,
            nhead=4,
            num_encoder_layers=2,
            num_decoder_layers=2,
            dim_feedforward=32,
            dropout=0.0,
            batch_first=True,
        )
        self.head = nn.Linear(width, words, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(target.size(1))
        hidden = self.core(
            self.places(self.embed(source)), self.places(self.embed(target)), tgt_mask=mask,
            src_key_padding_mask=source == 0, memory_key_padding_mask=source == 0,
        )  # fmt: skip
        return self.head(hidden)


def main():
    torch.manual_seed(1)
    model = Translator()
    source = torch.randint(2, 12, (6, 7))
    source[0, 5:] = 0
    target = torch.cat([torch.ones(6, 1, dtype=torch.long), source.flip(1)], 1)
    loss_of = nn.CrossEntropyLoss(ignore_index=0, label_smoothing=0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), weight_decay=0.01)
    losses = []
    for _ in range(6):
        logits = model(source, target[:, :-1])
        loss = loss_of(logits.reshape(-1, 12), target[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    out = torch.ones(1, 1, dtype=torch.long)
    with torch.no_grad():
        for _ in range(5):
            out = torch.cat([out, model(source[1:2], out)[:, -1].argmax(-1, keepdim=True)], 1)
    attention = nn.MultiheadAttention(16, 2, batch_first=True)
    x = torch.randn(2, 5, 16)
    found, weights = attention(x, x, x, need_weights=True, average_attn_weights=False)
    return {
        "losses": losses, "decoded": out.tolist(), "weights": weights.sum((0, 2)).flatten().tolist(),
        "found": found.mean().item(), "parameters": sum(p.numel() for p in model.parameters()),
    }  # fmt: skip
