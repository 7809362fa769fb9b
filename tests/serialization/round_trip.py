"""Saving and loading at once, and classes of a user's to save."""

from __future__ import annotations

import collections
import io

import tensorcore as tc
from tensorcore.serialization import load, save


def again(obj, **options):
    """``obj`` saved and loaded."""
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return load(file, **options)


Point = collections.namedtuple("Point", "x y")


class Settings:
    """A class of a user's."""

    def __init__(self, rate):
        self.rate = rate
        self.weight = tc.ones(2)
