"""`SummaryWriter`, with PyTorch's methods."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from tensorcore.errors import ArgumentError
from tensorcore.utils.tensorboard import pictures, summaries
from tensorcore.utils.tensorboard.file_writer import FileWriter
from tensorcore.utils.tensorboard.protocol import messages

__all__ = ["SummaryWriter"]


class SummaryWriter:
    """Writes what TensorBoard shows to event files in a folder, through the package ``tensorboard``.

    Every method takes ``global_step``, the step of training, and ``walltime``, seconds since 1970 (now by default).

    Args:
        log_dir: the folder; ``runs/<date>_<host><comment>`` by default.
        comment: the end of the folder's name, where ``log_dir`` is not given.
        purge_step: have TensorBoard forget what earlier files of the folder say from this step on.
        max_queue: how many events may wait to be written.
        flush_secs: how long they may wait.
        filename_suffix: the end of the event file's name.

    Raises:
        ImportError: if ``tensorboard`` is not installed.

    Example:
        >>> from tensorcore.utils.tensorboard import SummaryWriter
        >>> try:
        ...     with SummaryWriter("runs/first") as writer:
        ...         for step in range(3):
        ...             writer.add_scalar("loss", 1 / (1 + step), step)
        ... except ImportError as error:
        ...     print(error)  # which says what to install
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        if not log_dir:
            import socket

            now = time.strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir = os.fspath(log_dir)
        self.purge_step = purge_step
        self._options = (max_queue, flush_secs, filename_suffix)
        self.file_writer: FileWriter | None = None
        self.all_writers: dict[str, FileWriter] = {}
        self._own()

    def _own(self) -> FileWriter:
        """The writer of the folder itself; after `close`, a new file."""
        if self.file_writer is None:
            self.file_writer = self.all_writers[self.log_dir] = FileWriter(self.log_dir, *self._options)
            if self.purge_step is not None:
                m = messages()
                self.file_writer.add_event(m.Event(file_version="brain.Event:2"), self.purge_step)
                start = m.SessionLog(status=m.SessionLog.START)
                self.file_writer.add_event(m.Event(session_log=start), self.purge_step)
                self.purge_step = None
        return self.file_writer

    def get_logdir(self) -> str:
        """The folder."""
        return self.log_dir

    # ---------------------------------------------------------------- numbers

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """Add a number to the curve ``tag``.

        Raises:
            ShapeError: for a tensor of more than one element.
        """
        self._own().add_summary(summaries.scalar(tag, scalar_value, new_style, double_precision), global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: Mapping[str, Any], global_step: Any = None, walltime: float | None = None
    ) -> None:
        """Add numbers to several curves that are shown in one chart; each is a run of its own in a folder below."""
        walltime = time.time() if walltime is None else walltime
        for tag, value in tag_scalar_dict.items():
            folder = os.path.join(self._own().get_logdir(), f"{main_tag.replace('/', '_')}_{tag}")
            if folder not in self.all_writers:
                self.all_writers[folder] = FileWriter(folder, *self._options)
            self.all_writers[folder].add_summary(summaries.scalar(main_tag, value), global_step, walltime)

    def add_tensor(self, tag: str, tensor: Any, global_step: Any = None, walltime: float | None = None) -> None:
        """Add a tensor as it is, for programs that read event files."""
        self._own().add_summary(summaries.tensor(tag, tensor), global_step, walltime)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """Add how values are distributed.

        ``bins`` is a number of bins, their edges, or a rule: "tensorflow" (growing from zero by tenths), "auto", "fd",
        "scott", "sturges", "sqrt", "rice". Neighbours are joined where there are more than ``max_bins``.

        Raises:
            ShapeError: for no values.
            ArgumentError: for bins that are none.
        """
        self._own().add_summary(summaries.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(
        self,
        tag: str,
        min: float,
        max: float,
        num: int,
        sum: float,
        sum_squares: float,
        bucket_limits: Any,
        bucket_counts: Any,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Add a distribution that is counted already: right limits of bins, and counts."""
        made = summaries.raw_histogram(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts)
        self._own().add_summary(made, global_step, walltime)

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Add precision and recall of predictions from 0 to 1 for binary labels, by threshold."""
        made = summaries.pr_curve(tag, labels, predictions, num_thresholds, weights)
        self._own().add_summary(made, global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag: str,
        true_positive_counts: Any,
        false_positive_counts: Any,
        true_negative_counts: Any,
        false_negative_counts: Any,
        precision: Any,
        recall: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Add precision and recall that are computed already; the numbers hold the weights."""
        rows = [
            true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts, precision, recall,
        ]  # fmt: skip
        self._own().add_summary(summaries.raw_pr_curve(tag, rows, num_thresholds), global_step, walltime)

    # ---------------------------------------------------------------- images, sound, text

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Add an image: floats from 0 to 1 or bytes, with 1, 3 or 4 channels.

        Raises:
            ShapeError, ArgumentError: if the shape is not what ``dataformats`` says ("CHW", "HWC", "HW").
        """
        picture = pictures.pixels("add_image", img_tensor, dataformats)
        self._own().add_summary(summaries.image(tag, picture), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Add images of one size, eight in a row.

        Raises:
            ShapeError, ArgumentError: if the shape is not what ``dataformats`` says.
        """
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """Add a figure of matplotlib's, or several of one size; they are closed unless ``close`` is false."""
        self.add_image(tag, pictures.figure_pixels(figure, close), global_step, walltime, "NHWC")

    def add_video(
        self, tag: str, vid_tensor: Any, global_step: Any = None, fps: float = 4, walltime: float | None = None
    ) -> None:
        """Add films of shape (n, time, channels, height, width), side by side; needs pillow."""
        made = summaries.film(tag, pictures.film(messages(), vid_tensor, fps))
        self._own().add_summary(made, global_step, walltime)

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: Any = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """Add sound: samples of one channel from -1 to 1."""
        self._own().add_summary(summaries.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: Any = None, walltime: float | None = None) -> None:
        """Add text; Markdown is shown as such."""
        self._own().add_summary(summaries.text(tag, text_string), global_step, walltime)

    # ---------------------------------------------------------------- models and runs

    def add_graph(
        self, model: Any, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True
    ) -> None:
        """Add the ops of a model, grouped by its modules, as one call with ``input_to_model`` runs them.

        Raises:
            ArgumentError: without an input, and where no output depends on anything.
        """
        from tensorcore.utils.tensorboard.model_graph import graph_of

        if input_to_model is None:
            raise ArgumentError("add_graph: the model is run to find its ops; give input_to_model")
        made = graph_of(model, input_to_model)
        if verbose:
            print(made)
        self._own().add_graph(made)

    def add_embedding(
        self,
        mat: Any,
        metadata: Any = None,
        label_img: Any = None,
        global_step: Any = None,
        tag: str = "default",
        metadata_header: Sequence[str] | None = None,
    ) -> None:
        """Add points of many dimensions, a row of ``mat`` each, with labels and images, for the projector.

        Raises:
            ShapeError: for points that are no matrix, and labels or images that are not as many.
        """
        from tensorcore.utils.tensorboard.projector import write_points

        write_points(self._own().get_logdir(), mat, metadata, label_img, global_step, tag, metadata_header)

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any],
        hparam_domain_discrete: Mapping[str, Sequence[Any]] | None = None,
        run_name: str | None = None,
        global_step: Any = None,
    ) -> None:
        """Add hyperparameters of a run and the metrics it reached, as a run of its own in the folder ``run_name``.

        Raises:
            ArgumentError: for a hyperparameter that is no number, text, bool or tensor of one.
        """
        from tensorcore.utils.tensorboard.hyperparameters import session

        messages_of_session = session(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self._own().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(folder) as run:
            for message in messages_of_session:
                run._own().add_summary(message, global_step)
            for name, value in metric_dict.items():
                run.add_scalar(name, value, global_step)

    def add_custom_scalars(self, layout: Mapping[str, Mapping[str, Sequence[Any]]]) -> None:
        """Arrange curves in charts: ``{category: {chart: ["Multiline", tags]}}``, or ``["Margin", [mid, low, up]]``."""
        self._own().add_summary(summaries.custom_layout(layout))

    def add_custom_scalars_multilinechart(
        self, tags: Sequence[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """Show several curves in one chart."""
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(
        self, tags: Sequence[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """Show a curve between two others."""
        self.add_custom_scalars({category: {title: ["Margin", tags]}})

    # ---------------------------------------------------------------- files

    def flush(self) -> None:
        """Write what waits to the disk."""
        for writer in self.all_writers.values():
            writer.flush()

    def close(self) -> None:
        """Write what waits and close the files; adding more begins new ones."""
        for writer in self.all_writers.values():
            writer.flush()
            writer.close()
        self.file_writer = None
        self.all_writers = {}

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
