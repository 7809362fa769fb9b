"""Layers against PyTorch's: text, names and initial values of parameters, outputs, training."""

from __future__ import annotations

import inspect

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402

LAYERS = [
    "Identity(3)", "Linear(3, 4)", "Linear(3, 4, bias=False)", "Linear(0, 4)", "Bilinear(2, 3, 4)",
    "Bilinear(2, 3, 4, bias=False)", "Flatten()", "Flatten(0, 2)", "Unflatten(1, (2, 3))", "Unflatten(-1, [2])",
    # activations
    "ReLU()", "ReLU(True)", "ReLU6()", "ReLU6(inplace=True)", "Threshold(0.1, 20)", "Threshold(0.1, 20, True)",
    "LeakyReLU()", "LeakyReLU(0.2, True)", "PReLU()", "PReLU(3, 0.5)", "RReLU()", "RReLU(0.1, 0.2, True)",
    "Hardtanh()", "Hardtanh(-2, 2, True)", "Hardshrink()", "Softshrink(0.3)", "Sigmoid()", "LogSigmoid()",
    "Hardsigmoid()", "Hardsigmoid(True)", "Tanh()", "Tanhshrink()", "Softsign()", "Softplus()", "Softplus(2, 10)",
    "ELU()", "ELU(0.5, True)", "CELU()", "CELU(0.5, True)", "SELU()", "SELU(True)", "GELU()", "GELU('tanh')",
    "SiLU()", "SiLU(True)", "Mish()", "Mish(True)", "Hardswish()", "Hardswish(True)", "GLU()", "GLU(0)",
    "Softmax()", "Softmax(1)", "Softmin(dim=1)", "LogSoftmax(-1)", "Softmax2d()",
    # dropout
    "Dropout()", "Dropout(0.1, True)", "Dropout1d(0.1)", "Dropout2d(0.1)", "Dropout3d(0.1)", "AlphaDropout(0.1)",
    "FeatureAlphaDropout(0.1)",
    # convolutions
    "Conv1d(4, 6, 3)", "Conv1d(4, 6, (3,), 2, 1, 2, 2, False)", "Conv2d(4, 6, 3)", "Conv2d(4, 6, (3, 5), 2, (1, 2))",
    "Conv2d(4, 6, 3, padding='same', padding_mode='reflect')", "Conv2d(4, 6, 3, padding='valid', groups=2)",
    "Conv2d(4, 4, 3, groups=4, bias=False, dilation=2)", "Conv3d(2, 4, 3, padding=1)", "ConvTranspose1d(4, 6, 3)",
    "ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2)", "ConvTranspose2d(4, 6, (3, 5), bias=False, dilation=2)",
    "ConvTranspose3d(2, 4, 3)",
    # pooling
    "MaxPool1d(2)", "MaxPool2d((2, 3), 2, ceil_mode=True)", "MaxPool3d(2, 1, padding=1, return_indices=True)",
    "AvgPool1d(2)", "AvgPool2d(2, 1, 1)", "AvgPool3d((1, 2, 3))", "LPPool1d(2, 3)", "LPPool2d(2, 3, 1)",
    "LPPool3d(2, 3)", "AdaptiveAvgPool1d(3)", "AdaptiveAvgPool2d((1, None))", "AdaptiveAvgPool3d(2)",
    "AdaptiveMaxPool1d(3, True)", "AdaptiveMaxPool2d(3)", "AdaptiveMaxPool3d((1, 2, 3))",
    "MaxUnpool1d(2)", "MaxUnpool2d((2, 3), 2, 1)", "MaxUnpool3d(3)", "Unfold(2)", "Fold((4, 5), (2, 3), stride=2)",
    # normalisation
    "BatchNorm1d(3)", "BatchNorm2d(3, affine=False)", "BatchNorm3d(3, 1e-3, None, track_running_stats=False)",
    "BatchNorm1d(3, bias=False)", "InstanceNorm1d(3)", "InstanceNorm2d(3, affine=True, track_running_stats=True)",
    "InstanceNorm3d(3)", "LayerNorm(3)", "LayerNorm((2, 3), bias=False)", "LayerNorm([2], elementwise_affine=False)",
    "GroupNorm(2, 4)", "GroupNorm(2, 4, affine=False)", "GroupNorm(2, 4, bias=False)", "RMSNorm(3)",
    "RMSNorm((2, 3), 1e-3, False)", "LocalResponseNorm(2)",
    # tables, rearrangement, padding, distances
    "Embedding(5, 3)", "Embedding(5, 3, padding_idx=-1, max_norm=2, norm_type=1, scale_grad_by_freq=True)",
    "PixelShuffle(2)", "PixelUnshuffle(2)", "ChannelShuffle(2)", "Upsample(size=3)",
    "Upsample(scale_factor=(2, 3), mode='bilinear')", "UpsamplingNearest2d(scale_factor=2)",
    "UpsamplingBilinear2d(size=(3, 4))", "ConstantPad1d(1, 3.5)", "ConstantPad2d((1, 2, 3, 4), 0)",
    "ConstantPad3d(1, 2.0)", "ZeroPad1d(1)", "ZeroPad2d(1)", "ZeroPad3d(1)", "ReflectionPad1d((1, 2))",
    "ReflectionPad2d(1)", "ReflectionPad3d(1)", "ReplicationPad1d(1)", "ReplicationPad2d(1)", "ReplicationPad3d(1)",
    "CircularPad1d(1)", "CircularPad2d(1)", "CircularPad3d(1)", "CosineSimilarity()", "PairwiseDistance()",
    # losses
    "L1Loss()", "MSELoss(reduction='sum')", "CrossEntropyLoss(label_smoothing=0.1)", "NLLLoss()", "BCELoss()",
    "BCEWithLogitsLoss()", "KLDivLoss(log_target=True)", "SmoothL1Loss(beta=0.5)", "HuberLoss(delta=2.0)",
    "PoissonNLLLoss()", "GaussianNLLLoss()", "HingeEmbeddingLoss()", "CosineEmbeddingLoss()", "MarginRankingLoss()",
    "TripletMarginLoss()", "TripletMarginWithDistanceLoss()", "MultiMarginLoss()", "MultiLabelMarginLoss()",
    "MultiLabelSoftMarginLoss()", "SoftMarginLoss()", "CTCLoss()",
    # trees
    "Sequential()", "Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Conv2d(1, 2, 3)))",
    "ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.Sequential(nn.ReLU()), nn.Sequential(nn.ReLU())])",
    "ModuleList()", "ModuleDict({'a': nn.Linear(2, 3), 'b': nn.ModuleList([nn.ReLU()] * 2)})", "ModuleDict()",
    "ParameterList()", "ParameterDict()",
]  # fmt: skip


def built(library, text):
    library.manual_seed(3)
    return eval(f"nn.{text}", {"nn": library.nn, "lib": library})


def values(tensor):
    return tensor.detach().double().flatten().tolist()


@pytest.mark.filterwarnings("ignore:.*without elements|.*zero-element")
@pytest.mark.parametrize("text", LAYERS)
def test_same_text_parameters_and_initial_values(text):
    ours, theirs = built(tc, text), built(torch, text)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, wanted in theirs.state_dict().items():
        got = ours.state_dict()[name]
        assert (list(got.shape), got.dtype.name) == (list(wanted.shape), str(wanted.dtype)[6:])
        assert values(got) == pytest.approx(values(wanted), rel=2e-6, abs=1e-6)
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]


@pytest.mark.parametrize("name", sorted({text.split("(")[0] for text in LAYERS}))
def test_same_signature(name):
    def shape(cls):
        parameters = list(inspect.signature(cls.__init__).parameters.values())
        return [(p.name, p.kind, p.default) for p in parameters if p.name not in ("args", "kwargs")]

    assert shape(getattr(tc.nn, name)) == shape(getattr(torch.nn, name))


def test_parameter_containers_print_alike():
    def printed(lib):
        nn = lib.nn
        both = (
            nn.ParameterList([lib.zeros(2, 3), nn.Parameter(lib.zeros(())), 5]),
            nn.ParameterDict({"b": lib.zeros(2), "a": nn.Parameter(lib.ones(3)), "c": "x"}),
        )
        return "\n".join(map(repr, both)).replace(f"{lib.__name__}.", "").replace("FloatTensor", "float32")

    assert printed(tc) == printed(torch)


def images(lib):
    lib.manual_seed(1)
    return lib.rand(4, 1, 8, 8) - 0.5, lib.tensor([0, 1, 2, 1])


def cnn(lib):
    nn = lib.nn
    lib.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.GELU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(6), nn.Linear(6, 3),
    )  # fmt: skip


def test_a_convolutional_network_trains_alike():
    losses = {}
    for lib in (tc, torch):
        model, loss_of = cnn(lib), lib.nn.CrossEntropyLoss()
        optimizer = lib.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        x, y = images(lib)
        losses[lib] = []
        for _ in range(20):
            loss = loss_of(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[lib].append(loss.item())
        model.eval()
        losses[lib] += values(model(x)) + values(model[1].running_var)
    assert losses[tc] == pytest.approx(losses[torch], rel=2e-4, abs=2e-5)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Linear(5, 3)", (2, 5)), ("BatchNorm1d(3)", (6, 3)), ("BatchNorm1d(3, momentum=None)", (6, 3, 2)),
        ("InstanceNorm1d(3, affine=True)", (2, 3, 5)), ("InstanceNorm2d(3, track_running_stats=True)", (3, 4, 5)),
        ("GroupNorm(2, 4)", (2, 4, 3)), ("RMSNorm(4)", (3, 4)), ("LocalResponseNorm(2)", (2, 4, 3)),
        ("ConvTranspose2d(2, 4, 3, 2, 1, 1)", (1, 2, 4, 4)), ("Conv1d(2, 4, 3, padding='same')", (1, 2, 5)),
        ("Conv2d(2, 4, 3, padding=1, padding_mode='circular')", (1, 2, 5, 5)), ("PReLU(2)", (3, 2)),
        ("RReLU().eval()", (3,)), ("GLU()", (2, 4)), ("Softmax2d()", (2, 3, 3)), ("LPPool2d(2, 2)", (1, 1, 4, 4)),
        ("PixelShuffle(2)", (1, 4, 2, 2)), ("ReflectionPad1d(2)", (1, 5)), ("CircularPad2d(1)", (1, 3, 3)),
        ("UpsamplingBilinear2d(scale_factor=2)", (1, 1, 3, 3)), ("Unfold((2, 3), 2, 1)", (1, 2, 5, 6)),
        ("Fold(4, 2)", (2, 8, 9)), ("Unflatten(1, (2, -1))", (2, 6)),
    ],
)  # fmt: skip
def test_same_outputs_and_gradients(text, shape):
    found = []
    for lib in (torch, tc):
        layer = built(lib, text)
        lib.manual_seed(5)
        x = (lib.rand(*shape) * 4 - 2).requires_grad_()
        for _ in range(2):
            out = layer(x)
        (out * out).sum().backward()
        gradients = [x.grad, *(p.grad for p in layer.parameters())]
        found.append([*map(values, [out, *gradients, *layer.buffers()])])
    for wanted, got in zip(*found, strict=True):
        assert got == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def test_states_pass_both_ways(tmp_path):
    ours, theirs = cnn(tc), cnn(torch)
    for parameter in ours.parameters():
        with tc.no_grad():
            parameter.mul_(0.5)
    tc.save(ours.state_dict(), tmp_path / "ours.pt")
    loaded = torch.load(tmp_path / "ours.pt")
    theirs.load_state_dict(loaded)
    assert values(theirs[0].weight) == values(ours[0].weight)
    torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
    again = cnn(tc)
    assert repr(again.load_state_dict(tc.load(tmp_path / "theirs.pt"))) == "<All keys matched successfully>"
    assert values(again[4].bias) == values(ours[4].bias)


def test_backward_hooks_see_the_same():
    seen = {}
    for lib in (torch, tc):
        lib.manual_seed(0)
        layer = lib.nn.Linear(2, 2)
        seen[lib] = []

        def hook(module, grad_input, grad_output, into=seen[lib]):
            into.extend([values(g) for g in (*grad_input, *grad_output)])
            return tuple(None if g is None else g * 2 for g in grad_input)

        layer.register_full_backward_hook(hook)
        layer.register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 3,))
        x = lib.ones(1, 2, requires_grad=True)
        layer(x).sum().backward()
        seen[lib] += [values(x.grad), values(layer.weight.grad)]
    for got, wanted in zip(seen[tc], seen[torch], strict=True):
        assert got == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, float("inf"), 3.0, 0.0])
def test_clipping_norms(norm_type):
    found = []
    for lib in (torch, tc):
        parameters = [lib.nn.Parameter(lib.zeros(2)), lib.nn.Parameter(lib.zeros(1)), lib.nn.Parameter(lib.zeros(1))]
        parameters[0].grad, parameters[1].grad = lib.tensor([3.0, -4.0]), lib.tensor([12.0])
        total = lib.nn.utils.clip_grad_norm_(parameters, 1.0, norm_type)
        found.append([total.item(), *values(parameters[0].grad), *values(parameters[1].grad)])
    assert found[1] == pytest.approx(found[0])
