"""Random numbers: generators, and the default one's functions, as in ``torch.random``."""

from tensorcore.random.generator import (
    Generator,
    default_generator,
    fork_rng,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from tensorcore.random.ticket import Ticket

__all__ = [
    "Generator",
    "Ticket",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]
