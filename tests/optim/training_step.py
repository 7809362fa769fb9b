"""A step of training whose loss is a sum of squares."""

from __future__ import annotations

import tensorcore as tc


def training_step(p, optimizer, compiled):
    """A function that takes one step and returns the loss, recorded if ``compiled``."""

    def step():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        optimizer.step()
        return loss

    return tc.compile(step) if compiled else step
