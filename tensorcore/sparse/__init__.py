"""Sparse tensors: coordinates (COO) and compressed rows or columns (CSR, CSC), made of dense tensors of any device.

They are made by `tensorcore.sparse_coo_tensor` and its kin, or by ``Tensor.to_sparse``; ops take them as they take
dense tensors. What stands here is PyTorch's namespace ``torch.sparse``.
"""

from tensorcore.sparse import elementwise as elementwise
from tensorcore.sparse import movement as movement
from tensorcore.sparse.construction import check_sparse_tensor_invariants as check_sparse_tensor_invariants
from tensorcore.sparse.construction import sparse_compressed_tensor as sparse_compressed_tensor
from tensorcore.sparse.construction import sparse_coo_tensor as sparse_coo_tensor
from tensorcore.sparse.construction import sparse_csc_tensor as sparse_csc_tensor
from tensorcore.sparse.construction import sparse_csr_tensor as sparse_csr_tensor
from tensorcore.sparse.conversion import to_dense as to_dense
from tensorcore.sparse.parts import spdiags
from tensorcore.sparse.products import addmm, mm
from tensorcore.sparse.products import hspmm as hspmm
from tensorcore.sparse.products import smm as smm
from tensorcore.sparse.products import spmm as spmm
from tensorcore.sparse.products import sspaddmm as sspaddmm
from tensorcore.sparse.reduction import log_softmax, softmax, sum

__all__ = ["addmm", "check_sparse_tensor_invariants", "log_softmax", "mm", "softmax", "spdiags", "sum"]
