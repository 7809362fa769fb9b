"""Convolution, pooling, batch normalisation and dropout, trained with Adadelta."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, 1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.dropout1 = nn.Dropout(0.0)
        self.dropout2 = nn.Dropout2d(0.0)
        self.fc1 = nn.Linear(16 * 6 * 6, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = self.bn1(self.conv1(x))
        x = F.relu(x)
        x = F.relu(self.bn2(self.conv2(x)), inplace=True)
        x = F.max_pool2d(x, 2)
        x = self.dropout2(x)
        x = torch.flatten(x, 1)
        x = self.fc1(x)
        x = F.relu(x)
        x = self.dropout1(x)
        x = self.fc2(x)
        output = F.log_softmax(x, dim=1)
        return output


def main():
    torch.manual_seed(1)
    device = "cuda" if torch.cuda.is_available() and False else "cpu"
    target = torch.arange(128) % 10
    data = torch.randn(128, 1, 14, 14)
    for i, label in enumerate(target):
        data[i, 0, label : label + 3, 3:9] += 2.0

    model = Net().to(device)
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    criterion = nn.NLLLoss()
    losses = []
    for epoch in range(3):
        model.train()
        for x, y in zip(data.split(32), target.chunk(4)):
            x, y = x.to(device, non_blocking=True), y.to(device)
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()

    model.eval()
    with torch.inference_mode():
        output = model(data)
        _, predicted = torch.max(output.data, 1)
        correct = (predicted == target).sum().item()
        top = output.topk(3, dim=1)[1]
        within = top.eq(target.unsqueeze(1).expand_as(top)).any(dim=1).float().mean().item()

    pooled = nn.AvgPool2d(2)(nn.MaxPool2d(kernel_size=3, stride=2, padding=1)(data))
    dropped = nn.Dropout(p=0.5)(torch.ones(1000))
    return {
        "losses": losses,
        "loss": F.nll_loss(output, target).item(),
        "correct": correct,
        "within": within,
        "running mean": model.bn1.running_mean.tolist(),
        "tracked": model.bn2.num_batches_tracked.item(),
        "pooled": [tuple(pooled.shape), pooled.sum().item()],
        "dropped": sorted(dropped.unique().tolist()),
        "adaptive": nn.AdaptiveAvgPool2d((1, 1))(pooled).flatten(1).mean().item(),
    }
