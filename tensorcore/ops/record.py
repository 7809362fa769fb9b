"""One op, one record: the decorators `primitive` and `composite`, and the registry they fill."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final

from tensorcore.errors import ReadError
from tensorcore.ops.node_names import named
from tensorcore.ops.rules import Rule, same

__all__ = ["REGISTRY", "Op", "composite", "primitive"]

#: Every op by name, in the order of definition.
REGISTRY: Final[dict[str, Op]] = {}

#: What a gradient rule may name besides operands and attributes.
COTANGENT, OUTPUT, NEEDS = "g", "y", "needs"


class Op:
    """The record of one op; calling it calls the op.

    Attributes:
        name: PyTorch's name, which is also the name of the kernel.
        primitive: whether every backend must have a kernel.
        operands: names of the tensor arguments, in the kernel's order; one starting with ``*`` takes any number.
        front: the function users call, with PyTorch's signature.
        body: the expression of a composite in other ops, called like the kernel; ``None`` for a primitive.
        emit: the door: ``emit(*tensors, **attributes)``.
        rule: dtype rule of the operands listed in ``promotes``.
        vjp: gradient rules, one per operand, or one joint function; ``None`` where not differentiable.
        view: whether the result shares the operand's memory.
        moves: whether the result holds every element of the operands once, as it is: what is the same at each place of
            the result's gradient is the same at each place of theirs.
        put: for a view, ``put(base, value, **attributes)``: the base with the viewed part replaced.
        outputs: how many tensors the op returns.
        aliases: further names: plain ones in every namespace of the op, ``"linalg.inv"`` in that one.
        namespaces: where it is published: ``""`` (``tc.*``), ``"Tensor"``, ``"nn.functional"``, ...
        inplace: whether a method with a trailing underscore is derived.
        operator: the dunder methods derived, such as ``"add"`` for ``__add__`` and its kin.
        domain: interval from which conformance samples the operands.
        ulp: error budget in units in the last place of the result.
        shown: name of the backward node where it does not follow from the op's (`node_names` has more of them).
        gradient: of an op of one operand whose rule reads values, the rule as an op of its own, ``<op>_gradient``,
            which a backend can override like any composite; else ``None``.
        samples: cases ``(shapes of the operands, attributes)`` for tests, or a function of none returning them. With
            ``"prepare"`` (a name per operand, such as ``"positive_definite"``) and ``"observe"`` (what is compared of
            the outputs, such as ``"magnitudes"``), both of ``tensorcore_conformance.structure``.
        by_example: ``"values"`` where the front reads values, so that `vmap` calls it for one example after another;
            ``"constant"`` where its results have no gradient, either.
    """

    __slots__ = (
        "__wrapped__", "aliases", "body", "by_example", "callers", "domain", "elementwise", "emit", "front",
        "gradient", "inplace", "into", "joint", "moves", "name", "namespaces", "operands", "operator", "outputs",
        "plans", "primitive", "promotes", "pull", "put", "random", "reads", "rule", "samples", "shown", "signature",
        "standard", "ulp", "view", "vjp",
    )  # fmt: skip

    name: str
    emit: Callable[..., Any]
    front: Callable[..., Any]
    gradient: Op | None

    def __init__(self, front: Callable[..., Any], *, primitive: bool, **facts: Any) -> None:
        self.name = facts.get("name") or front.__name__
        self.primitive = primitive
        self.front = front
        self.__wrapped__ = front
        self.body: Callable[..., Any] | None = None
        self.rule: Rule = facts["rule"]
        self.vjp = facts["vjp"]
        self.joint: bool = facts["joint"]
        self.view: bool = facts["view"]
        self.moves: bool = facts["moves"]
        self.put = facts["put"]
        self.outputs: int = facts["outputs"]
        self.namespaces: tuple[str, ...] = facts["namespaces"]
        self.aliases: tuple[str, ...] = facts["aliases"]
        self.standard: str = facts["standard"] or self.name
        self.inplace: bool = facts["inplace"]
        #: ``into(input, ...)`` does the op straight into the memory of ``input`` and says whether it could.
        self.into: Callable[..., bool] | None = None
        self.operator: str | None = facts["operator"]
        self.domain = facts["domain"]
        self.ulp: float = facts["ulp"]
        self.samples = facts["samples"]
        self.random: bool = facts["random"]
        self.by_example: str = facts["by_example"]
        self.shown: str | None = facts["shown"]
        self.signature = inspect.signature(front)
        self.operands: tuple[str, ...] = facts["operands"] or tuple(
            ("*" if parameter.annotation.startswith("Sequence") else "") + name
            for name, parameter in self.signature.parameters.items()
            if parameter.kind is not parameter.KEYWORD_ONLY
            and isinstance(parameter.annotation, str)
            and parameter.annotation.startswith(("Tensor", "Sequence[Tensor"))
        )
        self.promotes: tuple[int, ...] | None = (
            None if facts["promotes"] is None else tuple(map(self.operands.index, facts["promotes"]))
        )
        attributes = len(self.signature.parameters) - len(self.operands)
        #: Whether each element of the result depends on the elements at its place alone.
        self.elementwise = (
            primitive and not self.view and self.promotes is None and self.outputs == 1 and bool(self.operands)
            and not self.variadic and (attributes == 0 or self.operator is not None) and self.operator != "matmul"
        )  # fmt: skip
        self.reads = _reads(self)
        #: Filled by `autograd.graph`: how rules are called, and what nodes keep.
        self.callers: tuple[Any, ...] | None = None
        self.pull: Callable[..., Any] | None = None
        self.plans: dict[int, Any] = {}

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.front.__doc__

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def __signature__(self) -> inspect.Signature:
        return self.signature

    def names_in(self, namespace: str) -> tuple[str, ...]:
        """Names under which the op is published in ``namespace``; none where it is not.

        A name that begins with the namespace's own is published without it: ``linalg_solve`` is ``linalg.solve``. An
        alias with a dot is a name in that namespace alone, such as ``"linalg.inv"`` of ``inverse``,
        or ``".adaptive_max_pool1d"`` at the top.
        """
        names: list[str] = []
        if namespace in self.namespaces:
            names.append(self.name.removeprefix(namespace.replace(".", "_") + "_") if namespace else self.name)
        for alias in self.aliases:
            where, dot, name = alias.rpartition(".")
            if where == namespace if dot else namespace in self.namespaces:
                names.append(name)
        return tuple(names)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every name under which users find the op, from the package: ``("exp", "Tensor.exp", "Tensor.exp_")``."""
        where = dict.fromkeys((*self.namespaces, *(alias.rpartition(".")[0] for alias in self.aliases if "." in alias)))
        found = [f"{space}.{name}".lstrip(".") for space in where for name in self.names_in(space)]
        return (*found, *(f"Tensor.{name}_" for name in self.inplace_names))

    @property
    def inplace_names(self) -> tuple[str, ...]:
        """What the derived in-place methods are called, without the underscore."""
        return (self.name, *(alias for alias in self.aliases if "." not in alias)) if self.inplace else ()

    @property
    def variadic(self) -> bool:
        """Whether the last operand stands for any number."""
        return bool(self.operands) and self.operands[-1].startswith("*")

    def operand_at(self, place: int) -> str:
        """How an error names the operand at ``place``."""
        last = len(self.operands) - 1
        if self.variadic and place >= last:
            return f"{self.operands[last][1:]!r}[{place - last}]"
        return repr(self.operands[place])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.front(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.front.__get__(instance, owner)

    def face(self, shown: str) -> Op:
        """This op under another name of its backward node: ``transpose`` is a `permute`, and its node says so.

        The kernels are those of the op's name, so that a step through a face costs nothing more.
        """
        from tensorcore.dispatch import open_door

        twin = object.__new__(Op)
        for slot in Op.__slots__:
            setattr(twin, slot, getattr(self, slot))
        twin.shown = shown
        twin.emit = open_door(twin)
        return twin

    def expression(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: the expression of a composite whose own ``def`` is the front."""
        self.body = body
        return body

    def in_place(self, into: Callable[..., bool]) -> Callable[..., bool]:
        """Decorator: how the in-place form writes into memory directly, where nothing else has to be kept up."""
        self.into = into
        return into

    def __repr__(self) -> str:
        return f"<{'primitive' if self.primitive else 'composite'} {self.name}>"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (REGISTRY.__getitem__, (self.name,))


class Reads:
    """What one gradient rule reads, resolved from its parameter names."""

    __slots__ = ("inputs", "names", "output", "rest", "shapes")

    def __init__(self, op: Op, rule: Callable[..., Any]) -> None:
        code = rule.__code__
        self.names = code.co_varnames[: code.co_argcount]
        index = {name.lstrip("*"): place for place, name in enumerate(op.operands)}
        self.output = OUTPUT in self.names
        places = [index[name] for name in self.names if name in index]
        last = len(op.operands) - 1
        #: Where the operand that stands for any number begins, if the rule reads it.
        self.rest = last if op.variadic and last in places else None
        self.inputs = tuple(place for place in places if place != self.rest)
        self.shapes = any(name.removesuffix("_shape") in index for name in self.names if name not in index)


def _reads(op: Op) -> tuple[Reads | None, ...]:
    if op.vjp is None:
        return ()
    rules = (op.vjp,) if callable(op.vjp) else op.vjp
    return tuple(None if rule is None else Reads(op, rule) for rule in rules)


def _is_trivial(front: Callable[..., Any]) -> bool:
    """Whether the body of ``front`` is its docstring alone."""
    code = front.__code__
    return len(code.co_names) == 0 and code.co_consts[-1] is None and len(code.co_code) <= _EMPTY_LENGTH


def _empty() -> None:
    """Nothing."""


_EMPTY_LENGTH = len(_empty.__code__.co_code)


def _register(op: Op) -> Op:
    from tensorcore.dispatch import open_door

    if op.name in REGISTRY:
        raise ValueError(f"op {op.name!r} is recorded twice")
    op.emit = open_door(op)
    functools.update_wrapper(op.emit, op.front)
    op.gradient = _gradient(op)
    if _is_trivial(op.front):
        op.front = op.emit
    REGISTRY[op.name] = op
    return op


def _gradient(op: Op) -> Op | None:
    """The gradient rule of an op of one operand as a composite; it takes the rule's place in ``op.vjp``."""
    if len(op.operands) != 1 or op.variadic or op.view or op.outputs != 1 or not callable(op.vjp) or op.joint:
        return None
    if op.promotes is not None or not (op.elementwise or op.body is not None or not op.primitive):
        return None
    rule, (reads,) = op.vjp, op.reads
    assert reads is not None
    tensors = [name for name in reads.names if name in (COTANGENT, OUTPUT, *op.operands)]
    attributes = [name for name in reads.names if name not in tensors]
    if tensors[:1] != [COTANGENT] or len(tensors) < 2 or reads.shapes or NEEDS in attributes:
        return None
    facts = _facts(name=f"{op.name}_gradient", operands=tensors, namespaces=())
    gradient = Op(rule, primitive=False, **facts)
    gradient.body = rule
    from tensorcore.dispatch import open_door

    gradient.emit = open_door(gradient)
    given = ", ".join([*tensors, *(f"{name}={name}" for name in attributes)])
    op.vjp = eval(f"lambda {', '.join(reads.names)}: emit({given})", {"emit": gradient.emit, "__name__": __name__})
    return gradient


#: PyTorch's argument names and what NumPy calls them; the functions and methods of users take both.
NUMPY_SPELLINGS: Final = {"dim": "axis", "dims": "axes", "keepdim": "keepdims"}


def _by_example(op: Op) -> Callable[..., Any]:
    front = op.front

    @functools.wraps(front)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return front(*args, **kwargs)
        except ReadError as error:
            failed: BaseException | None = error
            while failed is not None:
                # The frames of functions that were given the error hold it, and what they worked on.
                failed.__traceback__ = None
                failed = failed.__context__
        from tensorcore.func.by_example import called_by_example

        return called_by_example(op, args, kwargs)

    return called


def _facts(
    *,
    name: str | None = None,
    rule: Rule = same,
    vjp: Any = None,
    joint: bool = False,
    view: bool = False,
    moves: bool = False,
    put: Any = None,
    outputs: int = 1,
    namespaces: Sequence[str] = ("", "Tensor"),
    aliases: Sequence[str] = (),
    standard: str | None = None,
    inplace: bool = False,
    operator: str | None = None,
    domain: tuple[float, float] = (-4.0, 4.0),
    ulp: float = 4.0,
    samples: Any = None,
    random: bool = False,
    shown: str | None = None,
    operands: Sequence[str] | None = None,
    promotes: Sequence[str] | None = None,
    by_example: str = "",
) -> dict[str, Any]:
    given = locals()
    given.update(namespaces=tuple(namespaces), aliases=tuple(aliases), operands=operands and tuple(operands))
    return given


def primitive(**facts: Any) -> Callable[[Callable[..., Any]], Op]:
    """Record an op that every backend must have; see `Op` for the facts."""

    def decorate(front: Callable[..., Any]) -> Op:
        return _register(Op(front, primitive=True, **_facts(**facts)))

    return decorate


def composite(**facts: Any) -> Callable[[Callable[..., Any]], Op]:
    """Record an op that is an expression of others.

    The ``def`` is the expression; or it is the front, calls ``op.emit``, and the expression follows under
    ``@op.expression``. Only then, or when all its arguments are tensors, can a backend override it.
    """

    def decorate(front: Callable[..., Any]) -> Op:
        op = Op(front, primitive=False, **_facts(**facts))
        plain = all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in op.signature.parameters.values())
        if (
            "emit" not in front.__code__.co_names
            and len(op.operands) == len(op.signature.parameters)
            and plain
            and not op.variadic
        ):
            op.body = front
        op = _register(op)
        if op.body is front:
            op.front = op.emit
        if op.vjp is None:
            op.front = named(op)
        if op.by_example:
            op.front = _by_example(op)
        return op

    return decorate
