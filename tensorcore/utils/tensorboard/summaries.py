"""The messages of TensorBoard's plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorcore.errors import ArgumentError, ShapeError
from tensorcore.tensor import Tensor
from tensorcore.utils.tensorboard.pictures import encoded, wave_file
from tensorcore.utils.tensorboard.protocol import messages
from tensorcore.utils.tensorboard.values import bins_of, counted, number, tensor_of

__all__ = ["audio", "custom_layout", "histogram", "image", "pr_curve", "raw_histogram", "scalar", "tensor", "text"]


def _summary(tag: str, **content: Any) -> Any:
    m = messages()
    return m.Summary(value=[m.Summary.Value(tag=tag, **content)])


def _metadata(plugin: str, content: bytes = b"") -> Any:
    data = messages().SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    return messages().SummaryMetadata(plugin_data=data)


def _shape(*sides: int) -> Any:
    m = messages()
    return m.TensorShapeProto(dim=[m.TensorShapeProto.Dim(size=side) for side in sides])


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> Any:
    """A number."""
    found = number("add_scalar", value)
    if not new_style and not double_precision:
        return _summary(tag, simple_value=found)
    kind, field = ("DT_DOUBLE", "double_val") if double_precision else ("DT_FLOAT", "float_val")
    made = messages().TensorProto(dtype=kind, **{field: [found]})
    return _summary(tag, tensor=made, metadata=_metadata("scalars"))


def tensor(tag: str, value: Any) -> Any:
    """A tensor of floats or of bytes."""
    from tensorcore.dtypes import float32, float64, uint8

    found = tensor_of(value)
    facts = {float32: ("DT_FLOAT", "float_val"), float64: ("DT_DOUBLE", "double_val"), uint8: ("DT_UINT8", "int_val")}
    kind, field = facts.get(found.dtype, ("DT_FLOAT", "float_val"))
    numbers = (found if found.dtype in facts else found.float()).reshape(-1).tolist()
    made = messages().TensorProto(dtype=kind, **{field: numbers}, tensor_shape=_shape(*found.shape))
    return _summary(tag, tensor=made, metadata=_metadata("tensor"))


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None) -> Any:
    """How values are distributed."""
    found = tensor_of(values).reshape(-1).double()
    if not found.numel():
        raise ShapeError("add_histogram: the input has no elements")
    limits, counts = counted(found, bins_of(found, bins), max_bins)
    return raw_histogram(
        tag, float(found.min()), float(found.max()), found.numel(), float(found.sum()), float((found * found).sum()),
        limits, counts,
    )  # fmt: skip


def raw_histogram(
    tag: str, low: float, high: float, count: float, total: float, squares: float, limits: Any, counts: Any
) -> Any:
    """How values are distributed, counted by the caller."""
    if len(limits) != len(counts):
        raise ArgumentError(
            f"add_histogram_raw: as many limits as counts are expected, got {len(limits)} and {len(counts)}"
        )
    limits, counts = (tensor_of(each).double().tolist() for each in (limits, counts))
    made = messages().HistogramProto(
        min=low, max=high, num=count, sum=total, sum_squares=squares, bucket_limit=limits, bucket=counts
    )
    return _summary(tag, histo=made)


def image(tag: str, picture: Tensor) -> Any:
    """A picture of bytes, (height, width, channels)."""
    return _summary(tag, image=encoded(messages(), picture))


def film(tag: str, made: Any) -> Any:
    """A film that is encoded already."""
    return _summary(tag, image=made)


def audio(tag: str, sound: Any, sample_rate: int) -> Any:
    """Samples of one channel."""
    data, count = wave_file(sound, sample_rate)
    made = messages().Summary.Audio(
        sample_rate=sample_rate,
        num_channels=1,
        length_frames=count,
        encoded_audio_string=data,
        content_type="audio/wav",
    )
    return _summary(tag, audio=made)


def text(tag: str, words: str) -> Any:
    """Text, in which Markdown is shown."""
    m = messages()
    made = m.TensorProto(dtype="DT_STRING", string_val=[words.encode("utf-8")], tensor_shape=_shape(1))
    content = m.TextPluginData(version=0).SerializeToString()
    return _summary(f"{tag}/text_summary", tensor=made, metadata=_metadata("text", content))


def pr_curve(tag: str, labels: Any, predictions: Any, thresholds: int, weights: Any) -> Any:
    """Precision and recall of predictions in [0, 1] at thresholds that divide it evenly."""
    from tensorcore.ops.ranges import arange

    scores = tensor_of(predictions).double().reshape(-1)
    truth = tensor_of(labels).double().reshape(-1)
    if scores.shape != truth.shape:
        raise ShapeError(f"add_pr_curve: {truth.numel()} labels for {scores.numel()} predictions")
    share = truth.new_ones(()) if weights is None else tensor_of(weights).double()
    thresholds = min(thresholds, 127)
    # The place of each prediction: those at or above threshold k are predicted positive there.
    places = (scores * (thresholds - 1)).floor().long().clip(0, thresholds - 1)
    empty = truth.new_zeros((thresholds,))
    at = arange(thresholds - 1, -1, -1)
    right = empty.index_add(0, places, truth * share)[at].cumsum(0)[at]
    wrong = empty.index_add(0, places, (1 - truth) * share)[at].cumsum(0)[at]
    missed, refused = right[0] - right, wrong[0] - wrong
    precision = right / (right + wrong).clip(1e-7)
    recall = right / (right + missed).clip(1e-7)
    return raw_pr_curve(tag, [right, wrong, refused, missed, precision, recall], thresholds)


def raw_pr_curve(tag: str, rows: Sequence[Any], thresholds: int) -> Any:
    """True and false positives, true and false negatives, precision and recall, by thresholds."""
    m = messages()
    numbers = [value for row in rows for value in tensor_of(row).double().reshape(-1).tolist()]
    if len(numbers) != 6 * thresholds:
        raise ShapeError(f"add_pr_curve_raw: expected 6 rows of {thresholds} numbers, got {len(numbers)} numbers")
    made = m.TensorProto(dtype="DT_FLOAT", float_val=numbers, tensor_shape=_shape(6, thresholds))
    content = m.PrCurvePluginData(version=0, num_thresholds=thresholds).SerializeToString()
    return _summary(tag, tensor=made, metadata=_metadata("pr_curves", content))


def custom_layout(layout: Mapping[str, Mapping[str, Sequence[Any]]]) -> Any:
    """Charts that put several curves together: {category: {chart: ("Multiline" or "Margin", tags)}}."""
    m = messages()
    categories = []
    for category, charts in layout.items():
        made = []
        for title, (kind, tags) in charts.items():
            if kind == "Margin":
                value, lower, upper = tags
                series = m.MarginChartContent.Series(value=value, lower=lower, upper=upper)
                made.append(m.Chart(title=title, margin=m.MarginChartContent(series=[series])))
            elif kind == "Multiline":
                made.append(m.Chart(title=title, multiline=m.MultilineChartContent(tag=tags)))
            else:
                raise ArgumentError(f"add_custom_scalars: a chart is 'Multiline' or 'Margin', got {kind!r}")
        categories.append(m.Category(title=category, chart=made))
    content = m.Layout(category=categories).SerializeToString()
    made_tensor = m.TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=_shape())
    return _summary("custom_scalars__config__", tensor=made_tensor, metadata=_metadata("custom_scalars"))
