"""Gradients of one's own, checked numerically; hooks; higher derivatives."""

import torch
from torch.autograd import Function, Variable, gradcheck


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class LinearFunction(Function):
    @staticmethod
    def forward(ctx, input, weight, bias=None):
        ctx.save_for_backward(input, weight, bias)
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class MulConstant(Function):
    @staticmethod
    def forward(tensor, constant):
        return tensor * constant

    @staticmethod
    def setup_context(ctx, inputs, output):
        tensor, constant = inputs
        ctx.constant = constant

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ctx.constant, None


class STE(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(True)
        return (x > 0).float()

    @staticmethod
    def backward(ctx, g):
        return g.clamp(-1, 1)


def main():
    torch.manual_seed(0)
    x = torch.linspace(-2, 2, 50)
    y = torch.sin(x)
    a, b = torch.full((), 0.1, requires_grad=True), torch.full((), -1.0, requires_grad=True)
    c, d = torch.full((), 0.0, requires_grad=True), torch.full((), 0.3, requires_grad=True)
    P3 = LegendrePolynomial3.apply
    for t in range(30):
        y_pred = a + b * P3(c + d * x)
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for p in (a, b, c, d):
                p -= 5e-4 * p.grad
                p.grad = None

    linear = LinearFunction.apply
    args = (
        torch.randn(5, 4, dtype=torch.double, requires_grad=True),
        torch.randn(3, 4, dtype=torch.double, requires_grad=True),
        torch.randn(3, dtype=torch.double, requires_grad=True),
    )
    ok = gradcheck(linear, args, eps=1e-6, atol=1e-4)
    v = Variable(torch.randn(4), requires_grad=True)
    seen = []
    handle = v.register_hook(lambda g: seen.append(g.norm().item()))
    STE.apply(MulConstant.apply(v, 3.0)).sum().backward()
    handle.remove()

    u = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (g1,) = torch.autograd.grad((u**3).sum(), u, create_graph=True)
    (g2,) = torch.autograd.grad(g1.sum(), u, retain_graph=True)
    penalty = ((g1.norm(2) - 1) ** 2).mean()
    penalty.backward(inputs=[u])
    return {
        "loss": loss.item(),
        "fit": [p.item() for p in (a, b, c, d)],
        "checked": ok,
        "v": v.grad.tolist(),
        "seen": seen,
        "g2": g2.tolist(),
        "penalty": u.grad.tolist(),
        "names": [y_pred.grad_fn.name(), P3(a).grad_fn.name()],
    }
