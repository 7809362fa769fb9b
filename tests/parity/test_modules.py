"""Every module of torch.nn: arguments, text, attributes, keys of the state, initial values; and what is around them."""

from __future__ import annotations

import inspect
import warnings

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torch.nn.utils.prune")

from modules_against_torch import agree  # noqa: E402
from test_nn import LAYERS, built, values  # noqa: E402

import tensorcore as tc  # noqa: E402
import tensorcore.nn  # noqa: E402

#: Calls of the constructors that `test_nn` does not have.
MORE = [
    "AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])",
    "AdaptiveLogSoftmaxWithLoss(8, 20, [5], div_value=2., head_bias=True)",
    "Container(a=nn.Linear(2, 3))", "CrossMapLRN2d(3)", "DataParallel(nn.Linear(2, 3))", "EmbeddingBag(5, 3)",
    "EmbeddingBag(5, 3, mode='sum', padding_idx=1, include_last_offset=True)", "FractionalMaxPool2d(3, output_size=2)",
    "FractionalMaxPool3d(3, output_ratio=0.5, return_indices=True)", "GRU(3, 4, 2, bidirectional=True)",
    "GRUCell(3, 4)",
    "LSTM(3, 4, 2, batch_first=True, dropout=0.5, proj_size=2)", "LSTMCell(3, 4, bias=False)", "RNN(3, 4)",
    "RNN(3, 4, nonlinearity='relu', bias=False)", "RNNBase('LSTM', 3, 4)", "RNNCell(3, 4, nonlinearity='relu')",
    "RNNCellBase(3, 4, True, 2)", "LinearCrossEntropyLoss(4, 6)", "MultiheadAttention(8, 2)",
    "MultiheadAttention(8, 2, bias=False, add_bias_kv=True, kdim=3, vdim=5, batch_first=True)", "NLLLoss2d()",
    "SyncBatchNorm(3)", "Transformer(8, 2, 1, 1, 16)", "TransformerEncoderLayer(8, 2, 16, norm_first=True)",
    "TransformerDecoderLayer(8, 2, 16, bias=False)", "TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)",
    "TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2, nn.LayerNorm(8))",
    "ParameterList([nn.Parameter(lib.ones(2)), lib.zeros(3)])", "ParameterDict({'a': lib.ones(2), 'b': 3})",
    "LazyLinear(3)", *(f"Lazy{kind}{d}d({args})" for kind, args in (
        ("Conv", "3, 2"), ("ConvTranspose", "3, 2"), ("BatchNorm", ""), ("InstanceNorm", "affine=True")
    ) for d in (1, 2, 3)),
]  # fmt: skip
CALLS = [*LAYERS, *MORE]
MODULES = sorted(
    name
    for name in dir(torch.nn)
    if isinstance(getattr(torch.nn, name), type) and issubclass(getattr(torch.nn, name), torch.nn.Module)
)
#: What PyTorch keeps in instances for its fast path of transformers.
OWN_NAMES = {"activation_relu_or_gelu", "use_nested_tensor"}


def test_the_table_has_every_module():
    assert set(MODULES) - {text.partition("(")[0] for text in CALLS} == {"Module"}


# PyTorch's decorator of a deprecated class hides the arguments.
@pytest.mark.parametrize("name", [name for name in MODULES if name != "Container"])
def test_same_arguments(name):
    def shown(cls):
        # Functions as defaults, such as relu, are told by their names.
        return [
            (p.name, p.kind, getattr(p.default, "__name__", p.default))
            for p in inspect.signature(cls).parameters.values()
        ]

    assert shown(getattr(tc.nn, name)) == shown(getattr(torch.nn, name))


def quietly(lib, text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return built(lib, text)


@pytest.mark.parametrize("text", CALLS)
def test_same_text_state_and_attributes(text):
    ours, theirs = quietly(tc, text), quietly(torch, text)
    plain = [repr(each).replace("tensorcore.", "").replace("torch.", "") for each in (ours, theirs)]
    assert plain[0].replace("FloatTensor", "float32") == plain[1].replace("FloatTensor", "float32")
    assert [name for name in vars(theirs) if name[0] != "_" and name not in OWN_NAMES and not hasattr(ours, name)] == []
    mine, its = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(its)
    assert [name for name, _ in ours.named_modules()] == [name for name, _ in theirs.named_modules()]
    for name, wanted in its.items():
        if "uninitialized" in type(wanted).__name__.lower():
            assert "uninitialized" in type(mine[name]).__name__.lower()
            continue
        assert (list(mine[name].shape), mine[name].dtype.name) == (list(wanted.shape), str(wanted.dtype)[6:])
        assert values(mine[name]) == pytest.approx(values(wanted), rel=2e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["share_memory", "modules", "eval", "half"])
def test_methods_of_the_tree(name):
    ours, theirs = (built(lib, "Sequential(nn.Linear(2, 3), nn.ReLU())") for lib in (tc, torch))
    for layer in (ours, theirs):
        getattr(layer, name)()
    assert repr(ours) == repr(theirs)
    assert ours.training == theirs.training
    assert len(list(ours.modules(remove_duplicate=False))) == len(list(theirs.modules(remove_duplicate=False)))


# ------------------------------------------------------------------ pruning

PRUNE = (
    "t.manual_seed(0); P = t.nn.utils.prune; m = t.nn.Linear(4, 3); c = t.nn.Conv2d(2, 3, 2)\n"
    "S = lambda m: [[n for n, _ in m.named_parameters()], [n for n, _ in m.named_buffers()], "
    "*m.parameters(), *m.buffers(), m.weight]\n"
)
PRUNING = [
    "P.identity(m, 'weight'); S(m)",
    "P.l1_unstructured(m, 'weight', amount=0.4); S(m)",
    "P.l1_unstructured(m, 'weight', 5); S(m)",
    "P.l1_unstructured(m, 'weight', 0); S(m)",
    "P.l1_unstructured(m, 'weight', 1.0); S(m)",
    "P.l1_unstructured(m, 'weight', 2, importance_scores=t.arange(12.).reshape(3, 4)); S(m)",
    "P.l1_unstructured(m, 'bias', 1); [m.bias, m.bias_mask]",
    "P.random_unstructured(m, 'weight', amount=0.5); S(m)",
    "P.random_structured(m, 'weight', amount=2, dim=1); S(m)",
    "P.random_structured(c, 'weight', amount=1, dim=0); S(c)",
    *(f"P.ln_structured(c, 'weight', amount={amount}, n={n}, dim={dim}); S(c)"
      for amount, n, dim in ((1, 2, 0), (0.5, 1, -1), (1, "float('inf')", 1), (0, 2, 0), (2, "-float('inf')", 0))),
    "P.ln_structured(m, 'weight', 1, 2, 0, importance_scores=t.arange(12.).reshape(3, 4)); S(m)",
    "P.custom_from_mask(m, 'bias', t.tensor([0, 1, 0])); [m.bias, m.bias_mask]",
    # Again, of what is left.
    "P.l1_unstructured(m, 'weight', 3); P.l1_unstructured(m, 'weight', 3); S(m)",
    "P.l1_unstructured(m, 'weight', 3); P.ln_structured(m, 'weight', 1, 2, 0); S(m)",
    "P.ln_structured(m, 'weight', 1, 2, 0); P.ln_structured(m, 'weight', 1, 1, 1); P.random_unstructured(m, "
    "'weight', 0.3); S(m)",
    "P.ln_structured(m, 'weight', 1, 2, 0); P.ln_structured(m, 'weight', 0.5, 2, 0); S(m)",
    "P.l1_unstructured(m, 'weight', 3); P.custom_from_mask(m, 'weight', t.ones(3, 4)); P.identity(m, 'weight'); S(m)",
    "h = P.L1Unstructured.apply(m, 'weight', 2); g = P.L1Unstructured.apply(m, 'weight', 2); "
    "[type(h).__name__, type(g).__name__, len(g), g[0] is h, [type(x).__name__ for x in g]]",
    # Training goes on; gradients reach what is kept.
    "P.l1_unstructured(m, 'weight', 6); o = t.optim.SGD(m.parameters(), lr=0.1)\n"
    "for _ in range(3):\n  o.zero_grad(); (m(t.ones(2, 4)) ** 2).sum().backward(); o.step()\n"
    "[m(t.ones(1, 4)), m.weight_orig, m.weight_orig.grad, m.weight_mask]",
    "P.l1_unstructured(m, 'weight', 6); r = P.is_pruned(m); P.remove(m, 'weight'); [r, P.is_pruned(m), *S(m)]",
    "P.l1_unstructured(m, 'weight', 6); P.remove(m, 'weight'); type(m.weight).__name__ == 'Parameter' and "
    "m.weight.requires_grad",
    "n = t.nn.Sequential(m, t.nn.ReLU()); P.identity(m, 'weight'); P.is_pruned(n)",
    "n = t.nn.Sequential(t.nn.Linear(4, 3), t.nn.Linear(3, 2)); w = [(n[0], 'weight'), (n[1], 'weight'), (n[0], "
    "'bias')]; "
    "P.global_unstructured(w, P.L1Unstructured, amount=7); a = [*n.buffers()]; "
    "P.global_unstructured(w, P.RandomUnstructured, amount=0.3); [a, *n.buffers()]",
    "n = t.nn.Sequential(t.nn.Linear(4, 3), t.nn.Linear(3, 2)); P.global_unstructured([(l, 'weight') for l in n], "
    "P.L1Unstructured, importance_scores={(n[0], 'weight'): t.zeros(3, 4)}, amount=12); [*n.buffers()]",
    "P.L1Unstructured(2).prune(t.tensor([1., -3., 2., 0.5]))",
    "P.L1Unstructured(2).prune(t.tensor([1., -3., 2., 0.5]), default_mask=t.tensor([1., 0., 1., 1.]))",
    "P.LnStructured(1, 2, 0).prune(t.tensor([[1., -3.], [2., 0.5]]), importance_scores=t.tensor([[9., 9.], [0., 0.]]))",
    "sorted(P.l1_unstructured(m, 'weight', 2).state_dict())",
    "P.l1_unstructured(m, 'weight', 2); n = t.nn.Linear(4, 3); P.identity(n, 'weight'); "
    "n.load_state_dict(m.state_dict()); "
    "n(t.ones(1, 4))",
    "copy.deepcopy(P.RandomStructured(1, 0)).dim",
    # Methods of one's own.
    "class Odd(P.BasePruningMethod):\n  PRUNING_TYPE = 'unstructured'\n  def compute_mask(self, t, default_mask):\n"
    "    mask = default_mask.clone(); mask.view(-1)[::2] = 0; return mask\n"
    "Odd.apply(m, 'weight'); Odd.apply(m, 'weight'); S(m)",
    # Refusals.
    "P.l1_unstructured(m, 'weight', 13)", "P.l1_unstructured(m, 'weight', 1.5)", "P.l1_unstructured(m, 'weight', -1)",
    "P.l1_unstructured(m, 'weight', 'x')", "P.ln_structured(m, 'bias', 1, 2, 0)",
    "P.ln_structured(m, 'weight', 1, 2, 2)",
    "P.remove(m, 'weight')", "P.custom_from_mask(m, 'bias', t.ones(2))", "P.l1_unstructured(m, 'nothing', 1)",
    "P.l1_unstructured(m, 'weight', 1, importance_scores=t.ones(2))",
    "P.global_unstructured(3, P.L1Unstructured, amount=1)",
    "P.global_unstructured([(m, 'weight')], P.LnStructured, amount=1, n=2)",
    "P.PruningContainer().add_pruning_method(3)",
    "P.global_unstructured([(m, 'weight')], P.L1Unstructured, importance_scores=3, amount=1)", "P.BasePruningMethod()",
]  # fmt: skip


@pytest.mark.parametrize("source", PRUNING)
def test_pruning(source):
    agree(PRUNE + source)


# ------------------------------------------------------------------ around the modules

OTHERS = [
    *(f"t.nn.grad.conv{d}d_{what}({first}, {second}, t.ones({shape}), stride=2, padding=1, groups=2)"
      for d, shape in ((1, "2, 4, 3"), (2, "2, 4, 3, 3"), (3, "2, 4, 3, 3, 3"))
      for what, first, second in (
          ("input", f"(2, 2{', 5' * d})", f"t.arange({4 * 3**d}.).reshape(4, 1{', 3' * d})"),
          ("weight", f"t.arange({4 * 5**d}.).reshape(2, 2{', 5' * d})", f"(4, 1{', 3' * d})"),
      )),
    "p = [t.ones(3, requires_grad=True)]; (p[0] * 3).sum().backward(); [t.nn.utils.clip_grad_norm(p, 1.0), p[0].grad]",
    "m = t.nn.Linear(2, 1); t.nn.utils.stateless.functional_call(m, {'weight': t.ones(1, 2), 'bias': t.zeros(1)}, "
    "t.ones(2))",
    "t.nn.utils.convert_conv2d_weight_memory_format(t.nn.Conv2d(1, 2, 3), t.channels_last).weight.shape",
    "import importlib; U = importlib.import_module(t.__name__ + '.nn.modules.utils'); [U._single(2), U._pair(2), "
    "U._triple([1, 2, 3]),"
    " U._quadruple('x'), U._ntuple(5)(1), U._pair.__name__, U._reverse_repeat_tuple((1, 2), 2), "
    "U._list_with_default([None, 2], [5, 6, 7])]",
    "import importlib; U = importlib.import_module(t.__name__ + '.nn.modules.utils'); "
    "m = t.nn.Sequential(t.nn.Linear(2, 1)); "
    "d = t.nn.DataParallel(m).state_dict(); U.consume_prefix_in_state_dict_if_present(d, 'module.'); "
    "[list(d), list(d._metadata), str(m.load_state_dict(d))]",
    # Wrappers, where there are no accelerators.
    "t.manual_seed(0); m = t.nn.DataParallel(t.nn.Linear(2, 3)); o = m(t.ones(4, 2)); o.sum().backward(); "
    "[o, m.module.weight.grad, list(m.state_dict()), m.device_ids, repr(m)]",
    "t.nn.parallel.DataParallel is t.nn.DataParallel",
    "import importlib; S = importlib.import_module(t.__name__ + '.nn.attention'); q = t.ones(1, 2, 3)\n"
    "with S.sdpa_kernel([S.SDPBackend.MATH]): r = t.nn.functional.scaled_dot_product_attention(q, q, q)\nr",
    "import importlib; importlib.import_module(t.__name__ + '.nn.attention').sdpa_kernel('math').__enter__()",
    "m = t.nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2); x, h = t.ones(5, 2, 3), (t.ones(4, 2, 2), t.ones(4, "
    "2, 4)); "
    "m.check_forward_args(x, h, None); [m.get_expected_hidden_size(x, None), m.get_expected_cell_size(x, None), "
    "m.get_expected_hidden_size(x[0], t.tensor([2, 1])), m.permute_hidden(h, t.tensor([1, 0]))]",
    "m = t.nn.GRU(3, 4); m.check_forward_args(t.ones(5, 2, 3), t.ones(1, 3, 4), None)",
    "m = t.nn.GRU(3, 4); m.check_input(t.ones(5, 3), None)", "m = t.nn.GRU(3, 4); m.check_input(t.ones(5, 2, 4), None)",
    "m = t.nn.GRU(3, 4); [m.permute_hidden(t.ones(1, 2, 4), None), m.permute_hidden(t.ones(1, 2, 4), t.tensor([1, "
    "0]))]",
    "m = t.nn.modules; [m.module._addindent('a\\nb', 4), len(m.transformer._get_clones(t.nn.Linear(1, 2), 3)), "
    "m.transformer._get_activation_fn('gelu')(t.ones(1)), m.module._IncompatibleKeys([], ['a'])[1]]",
    "t.nn.modules.transformer._get_activation_fn('x')",
    "m = t.nn.modules; [m.batchnorm._BatchNorm in t.nn.BatchNorm2d.__mro__, m.conv._ConvNd in t.nn.Conv1d.__mro__, "
    "m.instancenorm._InstanceNorm in t.nn.InstanceNorm1d.__mro__, "
    "m.conv._ConvTransposeNd in t.nn.ConvTranspose2d.__mro__, "
    "m.pooling._AdaptiveAvgPoolNd in t.nn.AdaptiveAvgPool2d.__mro__, m.loss._Loss in t.nn.MSELoss.__mro__, "
    "m.dropout._DropoutNd in t.nn.Dropout.__mro__]",
]  # fmt: skip


@pytest.mark.parametrize("source", OTHERS)
def test_others(source):
    agree(source)
