"""Jacobians as `gradcheck` compares them: by central differences, by backward and by forward mode.

A Jacobian is seen whole, along every unit vector of its input and of its output, or in `fast` mode along one random
vector of each, where what is compared is a number. Complex numbers have two directions each, real and imaginary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from tensorcore.autograd.engine import grad
from tensorcore.autograd.gradcheck_probes import (
    GradcheckError,
    Probe,
    Settings,
    as_tuple,
    dense,
    differentiable,
    drawn,
    identity,
    is_complex,
    pushed,
    real_dtype,
)
from tensorcore.dtypes import FLOATING, complex128, float64, promote_types
from tensorcore.tensor import Tensor

__all__ = ["Jacobians"]

#: Complex numbers are looked at twice: (the factor of a cotangent or tangent, its name).
PARTS: Final[tuple[tuple[complex, str], ...]] = ((1j, "imaginary"), (1, "real"))


class Jacobians:
    """The derivatives of a function at given inputs: the comparison of those by autograd with differences."""

    def __init__(self, func: Callable[..., Any], inputs: tuple[Any, ...], results: tuple[Any, ...], settings: Settings):
        from tensorcore.random import Generator

        self.func = func
        self.inputs = inputs
        self.results = results
        self.settings = settings
        self.places = differentiable(results)
        self.probes = [
            Probe(x, place, settings.masked)
            for place, x in enumerate(inputs)
            if isinstance(x, Tensor) and x.requires_grad
        ]
        # Its own generator, so that a check leaves the program's random numbers as they were.
        generator = Generator().manual_seed(0)
        self._along = [(p.drawn(generator), p.drawn(generator)) for p in self.probes]
        self._weights = {place: drawn(results[place], generator) for place in self.places}
        self._known: dict[tuple[int, bool], dict[int, tuple[Tensor, Tensor | None]]] = {}

    # -------------------------------------------------------------- differences

    def _directions(self, number: int, fast: bool) -> list[tuple[Tensor, Tensor]]:
        return [self._along[number]] if fast else [(u, u) for u in self.probes[number].units()]

    def _quotient(self, probe: Probe, step: Tensor, places: Sequence[int]) -> list[Tensor]:
        """The central difference along ``step`` of each output, in one dimension."""
        ends = []
        for sign in (-self.settings.eps, self.settings.eps):
            with probe.moved(step * sign):
                results = as_tuple(self.func(*self.inputs))
                # Copies: an output may be the input itself.
                ends.append([results[place].detach().clone() for place in places])
            for place, y in zip(places, ends[-1], strict=True):
                before = self.results[place]
                if y.shape != before.shape or y.dtype is not before.dtype:
                    raise AssertionError(
                        f"{self.settings.name}: expected the function to return output {place} of shape "
                        f"{list(before.shape)} and {before.dtype} also where input {probe.place} is changed by "
                        f"{self.settings.eps}, but got shape {list(y.shape)} and {y.dtype}"
                    )
        return [((b - a) / (2 * self.settings.eps)).reshape(-1) for a, b in zip(*ends, strict=True)]

    def _differences(self, number: int, fast: bool) -> dict[int, tuple[Tensor, Tensor | None]]:
        """Per output, its derivatives along each direction of an input; of a complex one, the imaginary ones too."""
        found = self._known.get((number, fast))
        if found is None:
            probe = self.probes[number]
            places = self.places
            lists: list[dict[int, list[Tensor]]] = [{place: [] for place in places} for _ in range(2)]
            for real, imaginary in self._directions(number, fast):
                steps = (real, imaginary * 1j) if probe.complex else (real,)
                for rows, step in zip(lists, steps, strict=False):
                    for place, row in zip(places, self._quotient(probe, step, places), strict=True):
                        rows[place].append(row)
            matrices = [
                {place: self._spread(number, _rows(rows, self.results[place].numel(), self.results[place]), fast)
                 for place, rows in each.items()}
                for each in lists[: 1 + probe.complex]
            ]  # fmt: skip
            found = {place: (matrices[0][place], matrices[1][place] if probe.complex else None) for place in places}
            self._known[number, fast] = found
        return found

    def _spread(self, number: int, rows: Tensor, fast: bool) -> Tensor:
        """A row for each element of the input, where there were rows only for those it holds."""
        probe = self.probes[number]
        if fast or not probe.x._kind.sparse:
            return rows
        units = _rows([dense(probe.like(u)) for u in probe.units()], probe.x.numel(), probe.values)
        return units.T.to(rows.dtype) @ rows

    def check_constant(self) -> None:
        """Where no output requires grad, none may depend on the inputs.

        Raises:
            GradcheckError: where one does.
        """
        settings = self.settings
        places = [p for p, y in enumerate(self.results) if isinstance(y, Tensor) and y.dtype.category >= FLOATING]
        for number, probe in enumerate(self.probes):
            for real, imaginary in self._directions(number, settings.fast):
                for step in (real, imaginary * 1j) if probe.complex else (real,):
                    for place, change in zip(places, self._quotient(probe, step, places), strict=True):
                        if change.numel() and change.abs().max().item() > (settings.nondet_tol if settings.fast else 0):
                            raise GradcheckError(
                                f"{settings.name}: Numerical gradient for function expected to be zero: no output "
                                f"requires grad, but output {place} changes with input {probe.place}. Was it detached, "
                                "computed under no_grad, or outside of tensorcore?"
                            )

    # -------------------------------------------------------------- backward

    def _pulled(self, place: int, cotangent: Tensor) -> list[Tensor]:
        """By backward: per input, the gradient of an output weighed by ``cotangent``, in one dimension."""
        from tensorcore.ops.creation import zeros

        settings, output = self.settings, self.results[place]
        tensors = [probe.x for probe in self.probes]
        passes = [grad(output, tensors, cotangent, retain_graph=True, allow_unused=True) for _ in range(2)]
        found = []
        for probe, first, again in zip(self.probes, *passes, strict=True):
            if first is None or again is None:
                found.append(zeros(probe.x.numel(), dtype=probe.x.dtype, device=probe.x.device))
                continue
            which = f"the gradient of output {place} by input {probe.place}"
            if settings.check_grad_dtypes and first.dtype is not probe.x.dtype:
                raise GradcheckError(
                    f"{settings.name}: Gradient has dtype mismatch: {which} is {first.dtype}, the input {probe.x.dtype}"
                )
            if first.shape != probe.x.shape:
                raise GradcheckError(
                    f"{settings.name}: Analytical gradient has incorrect size: {which} has shape {list(first.shape)}, "
                    f"the input {list(probe.x.shape)}"
                )
            gradient = dense(first)
            apart = (gradient - dense(again)).abs().max().item() if gradient.numel() else 0.0
            if apart > settings.nondet_tol:
                raise GradcheckError(
                    f"{settings.name}: Backward is not reentrant, that is, not reproducible: two passes with the same "
                    f"cotangent give {which} with differences up to {apart}, more than nondet_tol="
                    f"{settings.nondet_tol}. Look for random draws, and for state that backward changes; where that "
                    "is meant, pass nondet_tol="
                )
            found.append(gradient)
        return found

    def _backward(self, place: int, factor: complex, fast: bool) -> list[Tensor]:
        """Per input, what backward gives for the real part of an output, or the imaginary one (``factor`` 1j)."""
        output = self.results[place]
        vectors = [self._weights[place]] if fast else list(identity(output))
        pulled = [self._pulled(place, (v * factor).to(output.dtype).reshape(output.shape)) for v in vectors]
        if not fast:
            return [
                _rows([row[number] for row in pulled], probe.x.numel(), probe.x).T
                for number, probe in enumerate(self.probes)
            ]
        projected = []
        for gradient, probe, (real, imaginary) in zip(pulled[0], self.probes, self._along, strict=True):
            along = (gradient.real * dense(probe.like(real))).sum()
            if probe.complex:
                along = along + 1j * (gradient.imag * dense(probe.like(imaginary))).sum()
            projected.append(along)
        return projected

    def _expected_backward(self, place: int, number: int, factor: complex, fast: bool) -> Tensor:
        real, imaginary = self._differences(number, fast)[place]
        found = _part(real, factor)
        if imaginary is not None:
            found = found + 1j * _part(imaginary, factor)
        return (found.reshape(-1) * self._weights[place]).sum() if fast else found

    def check_backward(self) -> None:
        """Compare backward with differences: for complex outputs, of the imaginary and of the real part.

        Raises:
            GradcheckError: where they differ.
        """
        fast = self.settings.fast
        parts = PARTS if any(is_complex(self.results[place]) for place in self.places) else PARTS[1:]
        for factor, part in parts:
            for place in self.places:
                if factor != 1 and not is_complex(self.results[place]):
                    continue
                for number, analytical in enumerate(self._backward(place, factor, fast)):
                    self._compare(
                        analytical,
                        self._expected_backward(place, number, factor, fast),
                        self._scale(number) * self._weights[place].sum().item() if fast else 1.0,
                        place,
                        number,
                        f"{part} part of complex outputs" if is_complex(self.results[place]) else "",
                        "backward",
                        lambda p=place, n=number, f=factor: (  # type: ignore[misc]
                            self._backward(p, f, False)[n],
                            self._expected_backward(p, n, f, False),
                        ),
                    )

    # -------------------------------------------------------------- forward mode

    def _forward(self, number: int, factor: complex, fast: bool) -> list[Tensor]:
        """Per output, what forward mode gives along the real directions of an input, or the imaginary ones."""
        settings, probe = self.settings, self.probes[number]
        pairs = self._directions(number, fast)
        rows: list[list[Tensor]] = [[] for _ in self.places]
        for pair in pairs:
            step = probe.like(pair[factor != 1] * factor if factor != 1 else pair[0].to(probe.x.dtype))
            derivatives = pushed(self.func, self.inputs, {probe.place: step}, self.places)
            for place, row, tangent in zip(self.places, rows, derivatives, strict=True):
                if settings.check_grad_dtypes and is_complex(tangent) != is_complex(self.results[place]):
                    raise GradcheckError(
                        f"{settings.name}: Forward AD gradient has dtype mismatch: the tangent of output {place} is "
                        f"{tangent.dtype}, the output {self.results[place].dtype}"
                    )
                row.append(dense(tangent))
        outputs = [self.results[place] for place in self.places]
        return [self._spread(number, _rows(row, y.numel(), y), fast) for row, y in zip(rows, outputs, strict=True)]

    def check_forward(self) -> None:
        """Compare forward mode with differences: for complex inputs, along the imaginary and the real directions.

        Raises:
            GradcheckError: where they differ.
        """
        fast = self.settings.fast
        for number, probe in enumerate(self.probes):
            for factor, part in PARTS if probe.complex else PARTS[1:]:
                for order, analytical in enumerate(self._forward(number, factor, fast)):
                    place = self.places[order]

                    def expected(fast: bool, n: int = number, p: int = place, f: complex = factor) -> Tensor:
                        found = self._differences(n, fast)[p][f != 1]
                        assert found is not None
                        return found

                    self._compare(
                        analytical,
                        expected(fast),
                        self._scale(number) if fast else 1.0,
                        place,
                        number,
                        f"{part} part of complex inputs" if probe.complex else "",
                        "forward mode",
                        lambda n=number, o=order, f=factor, e=expected: (self._forward(n, f, False)[o], e(False)),  # type: ignore[misc]
                    )

    def check_undefined_forward(self) -> None:
        """An input without a tangent must give what one with a tangent of zeros gives.

        Raises:
            GradcheckError: where it does not.
        """
        along = {
            probe.place: probe.like(real.to(probe.x.dtype))
            for probe, (real, _) in zip(self.probes, self._along, strict=True)
        }
        for probe in self.probes:
            others = {place: tangent for place, tangent in along.items() if place != probe.place}
            if not others:
                continue
            zeros = pushed(self.func, self.inputs, {**along, probe.place: along[probe.place] * 0}, self.places)
            without = pushed(self.func, self.inputs, others, self.places)
            for place, first, second in zip(self.places, zeros, without, strict=True):
                if not first.allclose(second):
                    raise GradcheckError(
                        f"{self.settings.name}: Mismatch in tangent values for output with index: {place} when input "
                        f"{probe.place} has an undefined tangent: got {second}, but expected {first}, what a tangent "
                        "of zeros gives. Let jvp treat None as zeros, or pass check_undefined_grad=False"
                    )

    # -------------------------------------------------------------- comparison

    def _scale(self, number: int) -> float:
        # Of a sum of elements each of which may be off by `atol`, this is what may be off.
        real, imaginary = self._along[number]
        return float(real.sum().item() + (imaginary.sum().item() if self.probes[number].complex else 0.0))

    def _compare(
        self, analytical: Tensor, numerical: Tensor, scale: float, place: int, number: int, part: str, mode: str,
        whole: Callable[[], tuple[Tensor, Tensor]],
    ) -> None:  # fmt: skip
        settings = self.settings
        analytical, numerical = _alike(analytical, numerical)
        if analytical.allclose(numerical, settings.rtol, settings.atol * scale):
            return
        lines = [
            f"{settings.name}: {f'While considering the {part} only, ' if part else ''}Jacobian "
            f"{'computed with forward mode ' if mode == 'forward mode' else ''}mismatch for output {place} with "
            f"respect to input {self.probes[number].place},",
            f"numerical:{numerical}",
            f"analytical:{analytical}",
        ]
        if settings.fast:
            analytical, numerical = _alike(*whole())
            lines += [
                "These are its projections by random vectors (fast_mode=True). The Jacobians themselves, with a row "
                "for each element of the input:",
                f"numerical:\n{numerical}",
                f"analytical:\n{analytical}",
            ]
        lines += [self._worst(analytical, numerical, place, number, mode), settings.advice]
        raise GradcheckError("\n".join(line for line in lines if line))

    def _worst(self, analytical: Tensor, numerical: Tensor, place: int, number: int, mode: str) -> str:
        settings, x, y = self.settings, self.probes[number].x, self.results[place]
        apart = (analytical - numerical).abs()
        excess = apart - (settings.atol + settings.rtol * numerical.abs())
        # NaN in either is a difference too; infinities of one sign are none.
        excess = excess.masked_fill(excess.isnan(), float("inf")).masked_fill(analytical == numerical, -1.0)
        k, j = divmod(int(excess.argmax().item()), max(1, y.numel()))
        if not (excess > 0).any().item():
            return (
                f"Element by element they agree to {apart.max().item()}, within the tolerances: fast_mode=False, or "
                "a larger atol, would let it pass"
            )
        made = y.grad_fn
        source = f", whose last step is {made.name()}" if made is not None else ""
        found, wanted = analytical[k, j].item(), numerical[k, j].item()
        text = (
            f"The derivative of output element {j} (of shape {list(y.shape)}{source}) by input element {k} (of shape "
            f"{list(x.shape)}) is {found} by {mode}, {wanted} by differences of step {settings.eps} (atol="
            f"{settings.atol}, rtol={settings.rtol})."
        )
        if x.dtype not in (float64, complex128):
            return f"{text} Differences in {x.dtype} are coarse: check in float64 or complex128"
        rule = "jvp" if mode == "forward mode" else "backward"
        return (
            f"{text} Where the function is smooth there, the gradient is wrong: correct its {rule}, or look for a "
            "detach; at a kink, move the input"
        )


def _part(x: Tensor, factor: complex) -> Tensor:
    return x.imag if factor != 1 else x.real


def _alike(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    dtype = promote_types(a.dtype, b.dtype)
    return a.detach().to(dtype), b.detach().to(device=a.device, dtype=dtype)


def _rows(rows: list[Tensor], width: int, like: Tensor) -> Tensor:
    from tensorcore.ops.creation import zeros
    from tensorcore.ops.movement import stack

    return stack(rows) if rows else zeros(0, width, dtype=real_dtype(like), device=like.device)
