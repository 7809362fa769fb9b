"""A perceptron on images that are loaded in batches, after the introductory examples."""

import argparse
import io

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset, random_split


class Net(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            nn.Linear(14 * 14, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10)
        )

    def forward(self, x):
        x = self.flatten(x)
        return self.linear_relu_stack(x)


def train(args, model, device, train_loader, optimizer, epoch, log):
    model.train()
    for batch_idx, (data, target) in enumerate(train_loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.cross_entropy(output, target)
        loss.backward()
        optimizer.step()
        if batch_idx % args.log_interval == 0:
            log.append(
                f"Train Epoch: {epoch} [{batch_idx * len(data)}/{len(train_loader.dataset)} ({100.0 * batch_idx / len(train_loader):.0f}%)]\tLoss: {loss.item():.4f}"
            )


def test(model, device, test_loader):
    model.eval()
    test_loss = 0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += F.cross_entropy(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    test_loss /= len(test_loader.dataset)
    return test_loss, correct / len(test_loader.dataset)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--log-interval", type=int, default=5)
    parser.add_argument("--lr", type=float, default=0.1)
    args = parser.parse_args([])
    use_cuda = torch.cuda.is_available() and False
    torch.manual_seed(1)
    device = torch.device("cuda" if use_cuda else "cpu")

    labels = torch.randint(0, 10, (640,))
    images = torch.rand(640, 1, 14, 14)
    images[torch.arange(640), 0, labels, :] += 1.0
    dataset = TensorDataset(images, labels)
    train_set, test_set = random_split(dataset, [512, 128])
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True, drop_last=True)
    test_loader = DataLoader(test_set, batch_size=100)
    for X, y in test_loader:
        shapes = f"Shape of X [N, C, H, W]: {X.shape}; shape of y: {y.shape} {y.dtype}"
        break

    model = Net().to(device)
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    log, results = [], []
    for epoch in range(1, 4):
        train(args, model, device, train_loader, optimizer, epoch, log)
        results.extend(test(model, device, test_loader))
        scheduler.step()

    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, file)
    file.seek(0)
    checkpoint = torch.load(file, weights_only=True, map_location=device)
    again = Net()
    answer = again.load_state_dict(checkpoint["model"])
    again.eval()
    classes = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    x, y = test_set[0][0], test_set[0][1]
    with torch.no_grad():
        pred = again(x)
        predicted, actual = classes[pred[0].argmax(0)], classes[y]
    return {
        "shapes": shapes,
        "log": log,
        "results": results,
        "lr": scheduler.get_last_lr(),
        "again": test(again, device, test_loader),
        "answer": str(answer),
        "predicted": f'Predicted: "{predicted}", Actual: "{actual}"',
        "weights": again.linear_relu_stack[0].weight.norm().item(),
    }
