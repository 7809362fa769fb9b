"""The parts of the package ``tensorboard`` that are used: its event files and their protocol buffers.

Imported when the first file is written, as it takes seconds and is not everyone's.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

__all__ = ["messages"]


@cache
def messages() -> Any:
    """The classes of messages, by name.

    Raises:
        ImportError: if ``tensorboard`` is not installed.
    """
    try:
        from tensorboard.compat.proto import (
            attr_value_pb2,
            event_pb2,
            graph_pb2,
            node_def_pb2,
            step_stats_pb2,
            summary_pb2,
            tensor_pb2,
            tensor_shape_pb2,
            versions_pb2,
        )
        from tensorboard.plugins.custom_scalar import layout_pb2
        from tensorboard.plugins.hparams import api_pb2
        from tensorboard.plugins.hparams import plugin_data_pb2 as hparams_pb2
        from tensorboard.plugins.pr_curve import plugin_data_pb2 as pr_curve_pb2
        from tensorboard.plugins.projector import projector_config_pb2
        from tensorboard.plugins.text import plugin_data_pb2 as text_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise ImportError(
            f"SummaryWriter writes through the package tensorboard, which cannot be imported ({error}); install it "
            "with: pip install tensorboard"
        ) from error
    modules = (
        event_pb2, graph_pb2, node_def_pb2, summary_pb2, tensor_pb2, attr_value_pb2, step_stats_pb2, tensor_shape_pb2,
        versions_pb2, layout_pb2, api_pb2, projector_config_pb2,
    )  # fmt: skip
    found = {name: value for module in modules for name, value in vars(module).items() if isinstance(value, type)}
    found |= {
        "HParamsPluginData": hparams_pb2.HParamsPluginData,
        "SessionStartInfo": hparams_pb2.SessionStartInfo,
        "SessionEndInfo": hparams_pb2.SessionEndInfo,
        "PrCurvePluginData": pr_curve_pb2.PrCurvePluginData,
        "TextPluginData": text_pb2.TextPluginData,
        "EventFileWriter": EventFileWriter,
    }
    return SimpleNamespace(**found)
