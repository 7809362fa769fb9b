"""A character-level language model of names: counts, then embeddings, then samples."""

import random

import torch
import torch.nn.functional as F

NAMES = """
emma olivia ava isabella sophia charlotte mia amelia harper evelyn abigail emily elizabeth mila ella avery sofia camila
aria scarlett victoria madison luna grace chloe penelope layla riley zoey nora lily eleanor hannah lillian liam noah
oliver elijah james william benjamin lucas henry theodore jack levi alexander jackson mateo daniel
"""


def build_dataset(words, stoi, block_size):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]
    return torch.tensor(X), torch.tensor(Y)


def main():
    words = NAMES.split()
    chars = sorted(set("".join(words)))
    stoi = {s: i + 1 for i, s in enumerate(chars)}
    stoi["."] = 0
    itos = {i: s for s, i in stoi.items()}
    vocab_size = len(itos)

    N = torch.zeros((vocab_size, vocab_size), dtype=torch.int32)
    for w in words:
        chs = ["."] + list(w) + ["."]
        for ch1, ch2 in zip(chs, chs[1:]):
            N[stoi[ch1], stoi[ch2]] += 1
    P = (N + 1).float()
    P /= P.sum(1, keepdim=True)
    g = torch.Generator().manual_seed(2147483647)
    names = []
    for _ in range(4):
        out, ix = [], 0
        while True:
            p = P[ix]
            ix = torch.multinomial(p, num_samples=1, replacement=True, generator=g).item()
            out.append(itos[ix])
            if ix == 0 or len(out) > 20:
                break
        names.append("".join(out))
    log_likelihood = 0.0
    for w in words[:5]:
        for ch1, ch2 in zip(w, w[1:]):
            log_likelihood += torch.log(P[stoi[ch1], stoi[ch2]])

    random.seed(42)
    random.shuffle(words)
    block_size = 3
    Xtr, Ytr = build_dataset(words, stoi, block_size)
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((vocab_size, 10), generator=g)
    W1 = torch.randn((block_size * 10, 64), generator=g) * (5 / 3) / (block_size * 10) ** 0.5
    W2 = torch.randn((64, vocab_size), generator=g) * 0.01
    b2 = torch.randn(vocab_size, generator=g) * 0
    bngain, bnbias = torch.ones((1, 64)), torch.zeros((1, 64))
    bnmean_running = torch.zeros((1, 64))
    parameters = [C, W1, W2, b2, bngain, bnbias]
    for p in parameters:
        p.requires_grad = True
    lossi = []
    for i in range(120):
        ix = torch.randint(0, Xtr.shape[0], (32,), generator=g)
        Xb, Yb = Xtr[ix], Ytr[ix]
        emb = C[Xb]
        hpreact = emb.view(emb.shape[0], -1) @ W1
        bnmeani = hpreact.mean(0, keepdim=True)
        bnstdi = hpreact.std(0, keepdim=True)
        hpreact = bngain * (hpreact - bnmeani) / bnstdi + bnbias
        with torch.no_grad():
            bnmean_running = 0.999 * bnmean_running + 0.001 * bnmeani
        h = torch.tanh(hpreact)
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Yb)
        for p in parameters:
            p.grad = None
        loss.backward()
        lr = 0.1 if i < 100 else 0.01
        for p in parameters:
            p.data += -lr * p.grad
        lossi.append(loss.log10().item())

    xenc = F.one_hot(Xtr[:5, -1], num_classes=vocab_size).float()
    logits = xenc @ torch.randn((vocab_size, vocab_size), generator=g)
    counts = logits.exp()
    probs = counts / counts.sum(1, keepdims=True)
    nll = -probs[torch.arange(5), Ytr[:5]].log().mean()
    return {
        "parameters": sum(p.nelement() for p in parameters),
        "names": names,
        "nll": [f"{log_likelihood=}", nll.item()],
        "losses": torch.tensor(lossi).view(-1, 20).mean(1).tolist(),
        "mean": bnmean_running[0, :5].tolist(),
        "shapes": [str(Xtr.shape), str(emb.shape), str(Xtr.dtype)],
        "unbound": torch.cat(torch.unbind(C[Xtr[:2]], 1), 1).shape[1],
    }
