"""Layers of `embedding`, where PyTorch's programs import them from."""

from tensorcore.nn.modules.embedding import Embedding, EmbeddingBag

__all__ = ["Embedding", "EmbeddingBag"]
