"""Data sets, collation of ragged sequences, weighted sampling, workers."""

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, RandomSampler, Subset, WeightedRandomSampler


class Sequences(Dataset):
    def __init__(self, n=40, transform=None):
        self.samples = [[(i * 7 + j) % 11 + 1 for j in range(2 + i % 5)] for i in range(n)]
        self.labels = [int(i % 4 == 0) for i in range(n)]
        self.transform = transform

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, idx):
        if torch.is_tensor(idx):
            idx = idx.tolist()
        sample = {"tokens": torch.LongTensor(self.samples[idx]), "label": self.labels[idx]}
        if self.transform:
            sample = self.transform(sample)
        return sample


def collate_fn(batch):
    batch.sort(key=lambda s: len(s["tokens"]), reverse=True)
    lengths = torch.tensor([len(s["tokens"]) for s in batch])
    tokens = pad_sequence([s["tokens"] for s in batch], batch_first=True, padding_value=0)
    labels = torch.tensor([s["label"] for s in batch], dtype=torch.float32)
    return tokens, lengths, labels


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(12, 8, padding_idx=0)
        self.conv = nn.Conv1d(8, 16, 3, padding="same")
        self.bag = nn.Embedding.from_pretrained(torch.linspace(-1, 1, 12 * 16).view(12, 16), freeze=False)
        self.fc = nn.Linear(32, 1)

    def forward(self, tokens, lengths):
        mask = torch.arange(tokens.size(1))[None, :] < lengths[:, None]
        h = torch.tanh(self.conv(self.embedding(tokens).permute(0, 2, 1)))
        mean = (h * mask[:, None]).sum(-1) / lengths[:, None]
        return self.fc(torch.cat((mean, self.bag(tokens).amax(1)), dim=1)).squeeze(-1)


class Points(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, i):
        return {"x": torch.tensor([i, i + 0.5]), "y": i, "name": f"p{i}", "pair": (float(i), torch.ones(2) * i)}


def main():
    torch.manual_seed(3)
    dataset = Sequences(transform=lambda s: {**s, "tokens": s["tokens"].clamp(max=11)})
    counts = torch.bincount(torch.tensor(dataset.labels))
    weights = (1.0 / counts.float())[dataset.labels]
    sampler = WeightedRandomSampler(weights, num_samples=len(dataset), replacement=True)
    loader = DataLoader(dataset, batch_size=8, sampler=sampler, collate_fn=collate_fn, num_workers=2)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    criterion = nn.BCEWithLogitsLoss()
    losses, seen = [], []
    for tokens, lengths, labels in loader:
        logits = model(tokens, lengths)
        loss = criterion(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=5.0)
        optimizer.step()
        losses.append(loss.item())
        seen.append(labels.sum().item())

    plain = DataLoader(Points(), batch_size=4, shuffle=True, generator=torch.Generator().manual_seed(5))
    first = next(iter(plain))
    subset = DataLoader(Subset(Points(), [1, 3, 5]), batch_size=None)
    random_order = list(RandomSampler(range(6)))
    train_set, valid_set = torch.utils.data.random_split(range(10), [0.7, 0.3])
    return {
        "weights": weights[:5].tolist(),
        "losses": losses,
        "seen": seen,
        "padding": model.embedding.weight[0].abs().sum().item(),
        "lengths": [len(loader), len(plain)],
        "x": first["x"].tolist(),
        "y": [first["y"].tolist(), str(first["y"].dtype), first["name"]],
        "pair": [str(first["pair"][0].dtype), first["pair"][1].shape[0]],
        "subset": [s["name"] for s in subset],
        "order": random_order,
        "split": [list(train_set), list(valid_set)],
    }
