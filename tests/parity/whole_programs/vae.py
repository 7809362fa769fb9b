"""A variational autoencoder, and a convolutional one without noise."""

import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 40)
        self.fc21 = nn.Linear(40, 4)
        self.fc22 = nn.Linear(40, 4)
        self.fc3 = nn.Linear(4, 40)
        self.fc4 = nn.Linear(40, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 64))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 64), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 6, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(6, 8, 3, 2, 1),
            nn.Tanh(),
        )
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(8, 6, 3, padding=1),
            nn.ReLU(True),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.Conv2d(6, 1, 3, padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def main():
    torch.manual_seed(7)
    device = torch.device("cpu")
    images = (torch.rand(256, 1, 8, 8) > 0.7).float()
    model = VAE().to(device)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for epoch in range(3):
        model.train()
        train_loss = 0
        for batch_idx, data in enumerate(DataLoader(images, batch_size=64, shuffle=True)):
            data = data.to(device)
            optimizer.zero_grad()
            recon_batch, mu, logvar = model(data)
            loss = loss_function(recon_batch, data, mu, logvar)
            loss.backward()
            train_loss += loss.item()
            optimizer.step()
        losses.append(f"====> Epoch: {epoch} Average loss: {train_loss / len(images):.3f}")
    with torch.no_grad():
        sample = model.decode(torch.randn(4, 4).to(device)).cpu()
        comparison = torch.cat([images[:2], recon_batch.view(64, 1, 8, 8)[:2]])

    auto = Autoencoder()
    optimizer = optim.RMSprop(auto.parameters(), lr=1e-3, weight_decay=1e-5)
    criterion = nn.BCEWithLogitsLoss()
    history = []
    for _ in range(4):
        noisy = images[:64] + 0.1 * torch.randn(images[:64].size())
        noisy = noisy.clamp(0.0, 1.0)
        optimizer.zero_grad()
        loss = criterion(auto(noisy), images[:64])
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return {
        "losses": losses,
        "sample": sample.view(-1)[:8].numpy().round(3).tolist(),
        "comparison": str(comparison.size()),
        "history": history,
        "codes": auto.encoder(images[:2]).detach().numpy().sum().item(),
        "smooth": F.smooth_l1_loss(auto(images[:2]), images[:2]).item(),
    }
