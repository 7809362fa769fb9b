"""Which dtype each op runs in under autocast: PyTorch's lists, by the names of our records.

On ``cpu`` these are the lists of PyTorch's CPU, on every other device those of its accelerators. An op in no list takes
its operands as they come. ``einsum``, ``matrix_power`` and their kin are in no list of PyTorch's CPU either, but there
their matrix products run as the list says; here an op of several steps is one op, so it is listed as its products are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = [
    "ACCELERATOR",
    "ALONE",
    "BANNED",
    "CPU",
    "FLOAT32",
    "FLOAT32_RESULT",
    "LOWER",
    "STATE",
    "WIDEST",
    "exemptions",
]

#: Operands are cast to the dtype of autocast.
LOWER: Final = "lower precision"
#: Operands are cast to float32.
FLOAT32: Final = "float32"
#: The result is asked for in float32 by the argument ``dtype``, unless one is given.
FLOAT32_RESULT: Final = "float32 result"
#: Operands are cast to the widest dtype among them and that of autocast.
WIDEST: Final = "widest type"
#: A recurrent op whose products run in the dtype of autocast, and whose sums have the dtype of its state.
STATE: Final = "state"
#: Operands stay as they are, and so do those of the ops that this one is made of.
ALONE: Final = "alone"
#: The op is refused.
BANNED: Final = "banned"


_PRODUCTS: Final = """
    addbmm addmm baddbmm bmm chain_matmul conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d
    conv_transpose3d corrcoef cov einsum inner linalg_multi_dot linalg_vecdot linear lstm matmul matrix_power mm
    multi_head_attention_forward prelu rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell scaled_dot_product_attention
"""
_LOSSES: Final = """
    binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy hinge_embedding_loss huber_loss kl_div l1_loss
    linear_cross_entropy margin_ranking_loss mse_loss multi_margin_loss multilabel_margin_loss nll_loss
    poisson_nll_loss positional_binary_cross_entropy_with_logits positional_cosine_embedding_loss
    positional_hinge_embedding_loss positional_kl_div positional_margin_ranking_loss positional_poisson_nll_loss
    positional_triplet_margin_loss smooth_l1_loss soft_margin_loss triplet_margin_loss
"""
#: Iterations that lose their way in 16 bits, in no list of PyTorch's.
_FACTORS: Final = "lobpcg pca_lowrank svd_lowrank "

_CPU: Final = {
    LOWER: _PRODUCTS + "tensordot",
    FLOAT32: _LOSSES + """
        adaptive_avg_pool3d adaptive_max_pool3d adaptive_max_pool3d_with_indices avg_pool3d binary_cross_entropy cdist
        cholesky cholesky_inverse cholesky_solve ctc_loss fake_quantize_per_tensor_affine fft_fft fft_fft2 fft_fftn
        fft_hfft fft_ifft fft_ifft2 fft_ifftn fft_ihfft fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 fft_rfftn
        fractional_max_pool2d fractional_max_pool3d geqrf grid_sample grid_sampler grid_sampler_2d
        grid_sampler_3d inverse linalg_cholesky positional_ctc_loss
        linalg_cholesky_ex linalg_cond linalg_eig linalg_eigh linalg_eigvals linalg_eigvalsh linalg_householder_product
        linalg_inv linalg_inv_ex linalg_lstsq linalg_lu_solve linalg_matrix_rank linalg_qr linalg_solve linalg_svd
        linalg_svdvals linalg_tensorinv linalg_tensorsolve lp_pool3d lu lu_solve max_pool3d max_unpool1d max_unpool2d
        max_unpool3d nanquantile orgqr ormqr pad pinverse polar prod qr quantile stft svd trace triangular_solve
        view_as_complex view_as_complex_copy
""",
    WIDEST: "cat index_copy stack",
    STATE: "gru gru_cell lstm_cell",
    ALONE: _FACTORS,
}  # fmt: skip

_ACCELERATOR: Final = {
    LOWER: _PRODUCTS + "addmv addr gru gru_cell lstm_cell mv",
    FLOAT32: _LOSSES + """
        acos asin cdist cosh cosine_similarity dist erfinv exp expm1 frobenius_norm group_norm interpolate layer_norm
        log log10 log1p log2 logsumexp native_layer_norm nuclear_norm pdist pow reciprocal renorm rms_norm rsqrt sinh
        softplus tan upsample
""",
    FLOAT32_RESULT: """
        cumprod cumsum linalg_matrix_norm linalg_norm linalg_vector_norm log_softmax norm prod softmax sum
""",
    WIDEST: """
        addcdiv addcmul atan2 bilinear cat cross dot grid_sample grid_sampler linalg_cross scatter_add stack tensordot
        vdot
""",
    ALONE: _FACTORS + "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d embedding_bag",
    BANNED: "binary_cross_entropy",
}  # fmt: skip


def _by_name(lists: Mapping[str, str]) -> Mapping[str, str]:
    return {name: policy for policy, names in lists.items() for name in names.split()}


CPU: Final = _by_name(_CPU)
ACCELERATOR: Final = _by_name(_ACCELERATOR)


def _moved(given: Mapping[str, Any]) -> bool:
    # Reflections of volumes are missing from PyTorch's list, as are constants and circles.
    mode = given.get("mode")
    return mode not in ("reflect", "replicate") or (mode == "reflect" and len(given["pad"]) == 6)


def _contracted(given: Mapping[str, Any]) -> bool:
    dims = given.get("dims", 2)
    count = dims if isinstance(dims, int) else len(dims[0])
    return given["a"].ndim == count == given["b"].ndim


#: Calls of listed ops for which PyTorch has other ops that are in no list: what tells them, by the arguments.
exemptions: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "chain_matmul": lambda given: len(given["matrices"]) == 1,
    "inner": lambda given: given["input"].ndim * given["other"].ndim < 2,
    "interpolate": lambda given: given.get("mode") == "area",
    "matrix_power": lambda given: given["n"] < 2,
    "max_pool3d": lambda given: bool(given.get("return_indices")),
    "pad": _moved,
    "tensordot": _contracted,
    "upsample": lambda given: given.get("mode") == "area",
}
