"""A policy learnt from discounted returns, and a value network from replayed steps."""

import math
import random
from collections import deque, namedtuple
from itertools import count

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class Walk:
    """A walk on a line that ends at either side."""

    def reset(self):
        self.position, self.steps = 0.0, 0
        return [self.position, 0.0]

    def step(self, action):
        self.position += 0.25 if action == 1 else -0.25
        self.steps += 1
        done = abs(self.position) >= 1 or self.steps >= 20
        return [self.position, self.steps / 20], float(self.position > 0), done


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(2, 32)
        self.affine2 = nn.Linear(32, 2)
        self.value = nn.Linear(32, 1)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.affine1(x))
        return F.softmax(self.affine2(x), dim=-1), self.value(x)


def select_action(policy, state):
    state = torch.tensor(state).float().unsqueeze(0)
    probs, value = policy(state)
    action = torch.multinomial(probs, 1)
    policy.saved_log_probs.append((probs.gather(1, action).log().squeeze(1), value.view(-1)))
    return action.item()


def finish_episode(policy, optimizer, eps):
    R = 0
    returns = deque()
    for r in policy.rewards[::-1]:
        R = r + 0.99 * R
        returns.appendleft(R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    policy_loss, value_loss = [], []
    for (log_prob, value), R in zip(policy.saved_log_probs, returns):
        policy_loss.append(-log_prob * (R - value.item()))
        value_loss.append(F.smooth_l1_loss(value, torch.tensor([R])))
    optimizer.zero_grad()
    loss = torch.cat(policy_loss).sum() + torch.stack(value_loss).sum()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
    optimizer.step()
    del policy.rewards[:]
    del policy.saved_log_probs[:]
    return loss.item(), float(norm)


def learn_values(memory):
    policy_net, target_net = (nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in range(2))
    target_net.load_state_dict(policy_net.state_dict())
    optimizer = optim.AdamW(policy_net.parameters(), lr=1e-3, amsgrad=True)
    for _ in range(5):
        batch = Transition(*zip(*random.sample(memory, 16)))
        mask = torch.tensor(tuple(map(lambda s: s is not None, batch.next_state)), dtype=torch.bool)
        non_final = torch.cat([s for s in batch.next_state if s is not None])
        state, action, reward = torch.cat(batch.state), torch.cat(batch.action), torch.cat(batch.reward)
        values = policy_net(state).gather(1, action)
        next_values = torch.zeros(16)
        with torch.no_grad():
            next_values[mask] = target_net(non_final).max(1).values
        loss = nn.SmoothL1Loss()(values, (next_values * 0.9 + reward).unsqueeze(1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
        optimizer.step()
        target, online = target_net.state_dict(), policy_net.state_dict()
        for key in online:
            target[key] = online[key] * 0.005 + target[key] * (1 - 0.005)
        target_net.load_state_dict(target)
    with torch.no_grad():
        return (
            loss.item(),
            policy_net(torch.zeros(1, 2)).max(1).indices.view(1, 1).tolist(),
            target_net[0].bias.sum().item(),
        )


def main():
    torch.manual_seed(543)
    random.seed(543)
    env, policy = Walk(), Policy()
    optimizer = optim.Adam(policy.parameters(), lr=1e-2)
    eps = torch.finfo(torch.float32).eps
    memory, losses, norms, lengths = deque(maxlen=200), [], [], []
    for _ in range(12):
        state = env.reset()
        for t in count():
            action = select_action(policy, state)
            following, reward, done = env.step(action)
            policy.rewards.append(reward)
            memory.append(
                Transition(
                    torch.tensor([state]),
                    torch.tensor([[action]]),
                    None if done else torch.tensor([following], dtype=torch.float32),
                    torch.tensor([reward]),
                )
            )
            state = following
            if done:
                break
        loss, norm = finish_episode(policy, optimizer, eps)
        losses.append(loss)
        norms.append(norm)
        lengths.append(t)
    return {
        "losses": losses,
        "norms": norms,
        "lengths": lengths,
        "values": learn_values(memory),
        "entropy": -(policy(torch.zeros(2))[0] * policy(torch.zeros(2))[0].log()).sum().item() / math.log(2),
    }
