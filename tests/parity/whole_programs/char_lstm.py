"""A character model: embedding, packed LSTM, gradient clipping, sampling with temperature."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

TEXT = "the quick brown fox jumps over the lazy dog. pack my box with five dozen liquor jugs. "


class CharModel(nn.Module):
    def __init__(self, vocabulary, hidden=24, layers=2):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 12, padding_idx=0)
        self.lstm = nn.LSTM(12, hidden, layers, batch_first=True, bidirectional=False)
        self.norm = nn.LayerNorm(hidden)
        self.head = nn.Linear(hidden, vocabulary)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.embed(x), lengths, batch_first=True, enforce_sorted=False)
        out, (h, c) = self.lstm(packed)
        out, _ = pad_packed_sequence(out, batch_first=True)
        return self.head(self.norm(out)), (h, c)


def main():
    torch.manual_seed(3)
    letters = sorted(set(TEXT))
    index = {c: i + 1 for i, c in enumerate(letters)}
    data = torch.tensor([index[c] for c in TEXT])
    chunks = [data[i : i + n] for i, n in ((0, 20), (10, 13), (25, 17), (40, 9))]
    lengths = torch.tensor([len(c) - 1 for c in chunks])
    x = pad_sequence([c[:-1] for c in chunks], batch_first=True)
    y = pad_sequence([c[1:] for c in chunks], batch_first=True)
    model = CharModel(len(letters) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5, 0.5)
    losses, norms = [], []
    for _ in range(10):
        optimizer.zero_grad()
        logits, (h, c) = model(x, lengths)
        loss = F.cross_entropy(logits.transpose(1, 2), y, ignore_index=0)
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        logits, _ = model(x[:1, :5], torch.tensor([5]))
        best = logits[0].argmax(-1).tolist()
        chances = (logits[0, -1] / 0.8).softmax(-1).topk(3)
    return {
        "losses": losses, "norms": norms, "shapes": [list(h.shape), list(c.shape)], "best": best,
        "chances": chances.values.tolist(), "letters": chances.indices.tolist(), "keys": list(model.state_dict()),
        "lr": scheduler.get_last_lr(),
    }  # fmt: skip
