"""Anomaly mode under the module path that PyTorch has it."""

from tensorcore.autograd.anomaly import detect_anomaly, set_detect_anomaly

__all__ = ["detect_anomaly", "set_detect_anomaly"]
