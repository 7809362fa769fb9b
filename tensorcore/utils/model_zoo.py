"""Weights by URL, under the name of old programs; `tensorcore.hub` holds them."""

from tensorcore.hub.weights import load_state_dict_from_url as load_url

__all__ = ["load_url"]
