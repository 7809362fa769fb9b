"""Balance a pole on a cart by trial and error: REINFORCE with a learnt baseline.

The policy network draws a push to the left or to the right from what it sees. After each episode the actions are made
more likely by how much more reward followed than the value network expected (Williams, 1992). The cart follows the
equations of Barto, Sutton and Anderson (1983), integrated in steps of 0.02 s.

    python policy_gradient.py --episodes 300
"""

from __future__ import annotations

import argparse
import math
import random
from collections import deque

import tensorcore as tc
from tensorcore import nn
from tensorcore.distributions import Categorical


class CartPole:
    """A pole of 1 m and 0.1 kg on a cart of 1 kg that is pushed with 10 N to either side."""

    GRAVITY, CART, POLE, HALF_LENGTH, FORCE, SECONDS = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
    LIMIT, ANGLE_LIMIT = 2.4, math.radians(12)

    def __init__(self, seed: int, longest: int) -> None:
        self.rng, self.longest = random.Random(seed), longest

    def reset(self) -> list[float]:
        """Near rest in the middle: place and speed, angle and its speed."""
        self.steps = 0
        self.state = [self.rng.uniform(-0.05, 0.05) for _ in range(4)]
        return self.state

    def step(self, action: int) -> tuple[list[float], float, bool]:
        """The state after a push to the left (0) or to the right (1), the reward, and whether the episode is over."""
        _, speed, angle, turning = self.state
        push = self.FORCE if action == 1 else -self.FORCE
        mass = self.CART + self.POLE
        sine, cosine = math.sin(angle), math.cos(angle)
        pull = (push + self.POLE * self.HALF_LENGTH * turning**2 * sine) / mass
        tilting = (self.GRAVITY * sine - cosine * pull) / (self.HALF_LENGTH * (4 / 3 - self.POLE * cosine**2 / mass))
        pushed = pull - self.POLE * self.HALF_LENGTH * tilting * cosine / mass
        changes = (speed, pushed, turning, tilting)
        self.state = [value + self.SECONDS * change for value, change in zip(self.state, changes, strict=True)]
        self.steps += 1
        fallen = abs(self.state[0]) > self.LIMIT or abs(self.state[2]) > self.ANGLE_LIMIT
        return self.state, 1.0, fallen or self.steps == self.longest


class Agent(nn.Module):
    """States (N, 4) to a distribution over two actions and the reward that is to be expected, (N,)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.policy = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 2))
        self.value = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, states: tc.Tensor) -> tuple[Categorical, tc.Tensor]:
        return Categorical(logits=self.policy(states)), self.value(states).squeeze(-1)


def play(agent: Agent, world: CartPole, device: str) -> tuple[tc.Tensor, tc.Tensor, list[float]]:
    """The states, actions and rewards of an episode."""
    states, actions, rewards = [], [], []
    state, over = world.reset(), False
    with tc.no_grad():
        while not over:
            states.append(tc.tensor(state, device=device))
            actions.append(Categorical(logits=agent.policy(states[-1])).sample())
            state, reward, over = world.step(actions[-1].item())
            rewards.append(reward)
    return tc.stack(states), tc.stack(actions), rewards


def returns(rewards: list[float], discount: float) -> list[float]:
    """What each step earned from then on, later rewards counting less."""
    found, total = deque[float](), 0.0
    for reward in reversed(rewards):
        total = reward + discount * total
        found.appendleft(total)
    return list(found)


def main(arguments: list[str] | None = None) -> list[float]:
    """Train until the pole stands, and give the loss of each episode."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=400)
    parser.add_argument("--longest", type=int, default=200, help="steps of an episode, in which the pole may stand")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--discount", type=float, default=0.99)
    parser.add_argument("--entropy", type=float, default=0.01, help="weight of the reward for being undecided")
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    world = CartPole(args.seed, args.longest)
    agent = Agent(args.width).to(args.device)
    optimizer = tc.optim.Adam(agent.parameters(), lr=args.lr)

    losses: list[float] = []
    recent = deque[int](maxlen=20)
    for episode in range(1, args.episodes + 1):
        states, actions, rewards = play(agent, world, args.device)
        earned = tc.tensor(returns(rewards, args.discount), device=args.device) / 100
        choices, expected = agent(states)
        surplus = earned - expected.detach()
        loss = -(choices.log_prob(actions) * surplus).mean() - args.entropy * choices.entropy().mean()
        loss = loss + nn.functional.smooth_l1_loss(expected, earned)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        recent.append(len(rewards))
        if episode % 20 == 0 or episode == args.episodes:
            print(f"episode {episode}/{args.episodes}  stands for {sum(recent) / len(recent):.0f} steps on average")
        if sum(recent) >= 0.975 * args.longest * 20:
            print(f"balanced after {episode} episodes")
            break
    return losses


if __name__ == "__main__":
    main()
