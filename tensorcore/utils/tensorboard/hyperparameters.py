"""Hyperparameters of a run and the metrics it reached, for TensorBoard's table of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tensorcore.errors import ArgumentError
from tensorcore.tensor import Tensor
from tensorcore.utils.tensorboard.protocol import messages
from tensorcore.utils.tensorboard.values import number

__all__ = ["session"]

#: The tags that the plugin looks for.
_EXPERIMENT: Final = "_hparams_/experiment"
_START: Final = "_hparams_/session_start_info"
_END: Final = "_hparams_/session_end_info"
#: The field of a value in a message, and the plugin's name of its type.
_TYPES: Final = {
    bool: ("bool_value", "DATA_TYPE_BOOL"),
    int: ("number_value", "DATA_TYPE_FLOAT64"),
    float: ("number_value", "DATA_TYPE_FLOAT64"),
    str: ("string_value", "DATA_TYPE_STRING"),
}


def session(
    values: Mapping[str, Any], metrics: Mapping[str, Any], domains: Mapping[str, Sequence[Any]] | None
) -> list[Any]:
    """The experiment, the begin of the session with its values, and its end.

    Raises:
        ArgumentError: for values that are no number, text, bool or tensor of one, and domains of what is no value.
    """
    m = messages()
    for what, given in (("hparam_dict", values), ("metric_dict", metrics)):
        if not isinstance(given, Mapping):
            raise ArgumentError(f"add_hparams: {what} is a dict, got {type(given).__name__}")
    unknown = [name for name in domains or {} if name not in values]
    if unknown:
        raise ArgumentError(f"add_hparams: hparam_domain_discrete has {unknown}, which hparam_dict has not")
    start, infos = m.SessionStartInfo(), []
    for name, value in values.items():
        if value is None:
            continue
        plain = number("add_hparams", value) if isinstance(value, Tensor) else value
        kind = next((kind for kind in _TYPES if isinstance(plain, kind)), None)
        if kind is None:
            raise ArgumentError(
                f"add_hparams: {name!r} is a {type(value).__name__}, expected an int, float, str, bool or tensor of one"
            )
        field, type_name = _TYPES[kind]
        setattr(start.hparams[name], field, plain)
        info = m.HParamInfo(name=name, type=m.DataType.Value(type_name) if hasattr(m, "DataType") else type_name)
        if domains and name in domains:
            info.domain_discrete.extend(domains[name])
        infos.append(info)
    experiment = m.Experiment(
        hparam_infos=infos, metric_infos=[m.MetricInfo(name=m.MetricName(tag=name)) for name in metrics]
    )
    end = m.SessionEndInfo(status="STATUS_SUCCESS")
    contents = (
        (_EXPERIMENT, {"experiment": experiment}),
        (_START, {"session_start_info": start}),
        (_END, {"session_end_info": end}),
    )
    return [_summary(tag, m.HParamsPluginData(version=0, **content)) for tag, content in contents]


def _summary(tag: str, content: Any) -> Any:
    m = messages()
    data = m.SummaryMetadata.PluginData(plugin_name="hparams", content=content.SerializeToString())
    return m.Summary(value=[m.Summary.Value(tag=tag, metadata=m.SummaryMetadata(plugin_data=data))])
