"""Pictures of autograd graphs."""

from tensorcore.viz.picture import GraphPicture, graph

__all__ = ["GraphPicture", "graph"]
