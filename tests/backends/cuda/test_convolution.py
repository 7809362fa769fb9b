"""How convolutions are put to cuDNN."""

from __future__ import annotations

import pytest

from tensorcore.dtypes import bfloat16, float16, float32, float64
from tensorcore_cuda.convolution import Cudnn, Problem, lifted

_STRIDED = ((2, 1), (1, 1), (1, 1))
PROBLEMS = {
    "forward": Problem("convolution_of", float32, (2, 4, 6, 5), (6, 2, 3, 2), (2, 6, 3, 6), *_STRIDED),
    "input": Problem("convolution_input_gradient", float16, (2, 6, 3, 6), (6, 4, 3, 2), (2, 4, 6, 5), *_STRIDED),
    "weight": Problem("convolution_weight_gradient", bfloat16, (2, 4, 6, 5), (2, 6, 3, 6), (6, 4, 3, 2), *_STRIDED),
    "row": Problem("convolution_of", float64, (2, 4, 6), (6, 4, 3), (2, 6, 4), (1,), (0,), (1,)),
    "volume": Problem(
        "convolution_of", float32, (1, 2, 4, 4, 4), (3, 2, 2, 2, 2), (1, 3, 3, 3, 3), (1, 1, 1), (0, 0, 0), (1, 1, 1)
    ),
}


def test_a_row_becomes_an_image_of_height_1():
    made = lifted(PROBLEMS["row"])
    assert (made.first, made.second, made.out) == ((2, 4, 1, 6), (6, 4, 1, 3), (2, 6, 1, 4))
    assert (made.stride, made.padding, made.dilation) == ((1, 1), (0, 0), (1, 1))


@pytest.mark.parametrize("name", ["forward", "volume"])
def test_images_and_volumes_stay(name):
    assert lifted(PROBLEMS[name]) is PROBLEMS[name]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_frontend_takes_the_description(name):
    cudnn = pytest.importorskip("cudnn")
    problem = lifted(PROBLEMS[name])
    graph, first, second, out = Cudnn(cudnn, None).described(problem)
    assert graph is not None
    for tensor, shape in ((first, problem.first), (second, problem.second), (out, problem.out)):
        assert tuple(tensor.get_dim()) == shape
        assert tensor.get_stride()[-1] == 1


def test_the_frontend_has_what_plans_need():
    cudnn = pytest.importorskip("cudnn")
    for name in [
        "validate",
        "build_operation_graph",
        "create_execution_plans",
        "deselect_numeric_notes",
        "check_support",
        "build_plans",
        "get_workspace_size",
        "execute",
    ]:
        assert hasattr(cudnn.pygraph, name), name
    assert cudnn.numerical_note.TENSOR_CORE and cudnn.heur_mode.A and cudnn.heur_mode.FALLBACK
    assert issubclass(cudnn.cudnnGraphNotSupportedError, Exception)
