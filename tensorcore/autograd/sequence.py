"""The number that orders autograd nodes by when they were made."""

from __future__ import annotations

import itertools

next_sequence = itertools.count().__next__
