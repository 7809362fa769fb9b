"""Pictures of autograd graphs, and summaries of models."""

from tensorcore.viz.picture import GraphPicture, graph
from tensorcore.viz.summary import Summary, summary

__all__ = ["GraphPicture", "Summary", "graph", "summary"]
