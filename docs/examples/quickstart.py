import tensorcore as tc
from tensorcore import nn
from tensorcore.utils.data import DataLoader
from tensorcore_vision.datasets import FashionMNIST

tc.manual_seed(0)
train, test = FashionMNIST(train=True), FashionMNIST(train=False)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
loss_fn = nn.CrossEntropyLoss()
optimizer = tc.optim.AdamW(model.parameters(), lr=1e-3)

for epoch in range(5):
    for images, labels in DataLoader(train, batch_size=64, shuffle=True):
        loss = loss_fn(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")

images, labels = test.tensors
with tc.no_grad():
    accuracy = (model(images).argmax(1) == labels).float().mean().item()
print(f"test accuracy {accuracy:.1%}")
tc.save(model.state_dict(), "classifier.pt")
