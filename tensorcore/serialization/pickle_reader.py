"""A reader of pickles that builds data and runs nothing.

A pickle is a program for a stack machine. This machine knows the instructions that make data; an instruction that names
a class or a function gets what a table says for that name, never what importing it would give, and an instruction that
calls can only call what the table marks as callable. Opcodes: Python's ``pickletools``.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from tensorcore.errors import CheckpointError, DeviceError, OutOfMemoryError

__all__ = ["Global", "PickleReader", "check_key"]


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Global:
    """What a name in a pickle stands for.

    ``call`` builds from arguments, checking them. ``value`` is what the name itself gives where that is data (a dtype)
    or a class its owner has vouched for; for others the `Global`, an inert object, stands for itself.
    """

    name: str
    call: Callable[..., Any] | None = None
    value: Any = None

    def __repr__(self) -> str:
        return f"<{self.name}>"


#: Types whose instances may be keys: their hashes are computed without recursion and without foreign code.
_PLAIN_KEYS: Final = frozenset({str, bytes, int, float, complex, bool, type(None)})


def check_key(key: Any) -> None:
    """Refuse keys whose hash would run foreign code, recurse without bound or take exponential time."""
    budget, pending = 1000, [(key, 0)]
    while pending:
        item, depth = pending.pop()
        budget -= 1
        kind = type(item)
        if kind is tuple or kind is frozenset:
            if depth > 16 or len(item) > budget:
                raise CheckpointError("a key or set element is a tuple nested too deeply")
            pending.extend((each, depth + 1) for each in item)
        elif kind not in _PLAIN_KEYS and not kind.__module__.startswith("tensorcore."):
            raise CheckpointError(f"a key or set element of type {kind.__name__} is not supported")


#: What an instruction meets when the file is damaged.
_FAILURES: Final = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


class PickleReader:
    """Reads one pickle.

    ``find(module, name)`` gives the `Global` of a name or raises CheckpointError; ``load_persistent(id)`` gives what a
    persistent id stands for. ``trusts(type)`` says whether a type's own code may run: its ``__new__`` and
    ``__setstate__``, and the hashes of its instances.
    """

    def __init__(
        self,
        data: bytes,
        find: Callable[[str, str], Global],
        load_persistent: Callable[[Any], Any],
        trusts: Callable[[type], bool],
        encoding: str = "utf-8",
    ) -> None:
        self.data = data
        self.find = find
        self.load_persistent = load_persistent
        self.trusts = trusts
        self.encoding = encoding
        self.position = 0
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        #: What may be called, by identity; the Global keeps its value alive, so that no id is reused.
        self.calls: dict[int, Global] = {}

    def load(self) -> Any:
        """The object; raises CheckpointError for whatever is damaged or not allowed."""
        code = -1
        try:
            while True:
                code = self.take(1)[0]
                if code == _STOP:
                    return self.stack.pop()
                instruction = _INSTRUCTIONS.get(code)
                if instruction is None:
                    self.refuse_opcode(code)
                instruction(self)
        except (CheckpointError, DeviceError, OutOfMemoryError):
            raise
        except _FAILURES as error:
            # Every step works on what the file says: whatever fails here, the file is at fault.
            where = f"at byte {self.position}, {opcode_name(code)}"
            raise CheckpointError(f"the pickle is damaged {where}: {type(error).__name__}: {error}") from error

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        end = self.position + count
        if end > len(self.data):
            raise CheckpointError(f"the pickle ends early: at byte {self.position}, {count} more are needed")
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def number(self, form: str) -> Any:
        """The next bytes as one number of a ``struct`` format."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        """The next bytes to the end of the line."""
        end = self.data.find(b"\n", self.position)
        if end < 0:
            raise CheckpointError(f"the pickle ends early: inside the name at byte {self.position}")
        piece = self.data[self.position : end]
        self.position = end + 1
        return piece.decode()

    def to_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        if not self.marks:
            raise CheckpointError(f"the pickle is damaged: no mark before byte {self.position}")
        items, self.stack = self.stack, self.marks.pop()
        return items

    def refuse_opcode(self, code: int) -> NoReturn:
        """Raise CheckpointError for an instruction that has no business in a checkpoint."""
        raise CheckpointError(
            f"the pickle uses {opcode_name(code)} at byte {self.position - 1}, which PyTorch's files do not; "
            "nothing was executed"
        )

    # ---------------------------------------------------------------- names and calls

    def push_global(self, module: Any, name: Any) -> None:
        """Push what ``module.name`` stands for."""
        if type(module) is not str or type(name) is not str:
            raise CheckpointError("the pickle names a class by something that is no string; nothing was executed")
        found = self.find(module, name)
        value = found if found.value is None else found.value
        if found.call is not None:
            self.calls[id(value)] = Global(found.name, found.call, value)
        self.push(value)

    def call(self, function: Any, args: Any) -> Any:
        """Call what a `Global` allows."""
        known = self.calls.get(id(function))
        if known is None or known.call is None or type(args) is not tuple:
            raise CheckpointError(
                f"the pickle calls {function!r:.80}, which is no allowed function; nothing was executed"
                if type(function) is Global
                else f"the pickle calls an object of type {type(function).__name__}; nothing was executed"
            )
        return known.call(*args)

    def global_line(self) -> None:
        """GLOBAL: a name in two lines of text."""
        module = self.line()
        self.push_global(module, self.line())

    def stack_global(self) -> None:
        """STACK_GLOBAL: a name from the stack."""
        name, module = self.stack.pop(), self.stack.pop()
        self.push_global(module, name)

    def inst(self) -> None:
        """INST, refused."""
        # Named for the message: the class is looked up so that a refusal says which one it was.
        module, name = self.line(), self.line()
        self.find(module, name)
        self.refuse_opcode(ord("i"))

    def reduce(self) -> None:
        """REDUCE: a call."""
        args = self.stack.pop()
        self.stack[-1] = self.call(self.stack[-1], args)

    def new_object_ex(self) -> None:
        """NEWOBJ_EX: an instance made with keyword arguments, of a trusted class."""
        keywords, args = self.stack.pop(), self.stack.pop()
        if type(keywords) is not dict or not self.is_trusted_class(self.stack[-1]):
            raise CheckpointError("the pickle makes an object with keyword arguments; nothing was executed")
        self.stack[-1] = self.stack[-1].__new__(self.stack[-1], *args, **keywords)

    def new_object(self) -> None:
        """NEWOBJ: an instance."""
        args = self.stack.pop()
        cls = self.stack[-1]
        self.stack[-1] = cls.__new__(cls, *args) if self.is_trusted_class(cls) else self.call(cls, args)

    def is_trusted_class(self, cls: Any) -> bool:
        """Whether ``cls`` is a class whose code may run."""
        return isinstance(cls, type) and self.trusts(cls)

    def build(self) -> None:
        """BUILD: state for the object made last."""
        state = self.stack.pop()
        target = self.stack[-1]
        if self.trusts(type(target)):
            set_state(target, state)
        elif type(target) is OrderedDict and type(state) is dict and all(type(key) is str for key in state):
            target.__dict__.update(state)
        else:
            raise CheckpointError(
                f"the pickle sets the state of an object of type {type(target).__name__}; nothing was executed"
            )

    def persistent(self) -> None:
        """BINPERSID: what the file keeps outside the pickle."""
        self.push(self.load_persistent(self.stack.pop()))

    # ---------------------------------------------------------------- containers

    def mark(self) -> None:
        """MARK: begin a run of items."""
        self.marks.append(self.stack)
        self.stack = []

    def pop(self) -> None:
        """POP: drop the last value, or a mark."""
        if self.stack:
            self.stack.pop()
        else:
            self.to_mark()

    def pop_mark(self) -> None:
        """POP_MARK: drop what was pushed since the last mark."""
        self.to_mark()

    def frame(self) -> None:
        """FRAME: how much to read at once, for readers of streams."""
        self.number("<Q")

    def fold(self, count: int) -> None:
        """TUPLE1 to TUPLE3."""
        if len(self.stack) < count:
            raise CheckpointError(f"the pickle is damaged: a tuple of {count} at byte {self.position}")
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def extend(self, items: list[Any]) -> None:
        """Append items to the list under them."""
        target = self.stack[-1]
        if type(target) is not list and not (isinstance(target, list) and self.trusts(type(target))):
            raise CheckpointError(f"the pickle appends to an object of type {type(target).__name__}")
        target.extend(items)

    def append(self) -> None:
        """APPEND: one item."""
        item = self.stack.pop()
        self.extend([item])

    def assign(self, items: list[Any]) -> None:
        """Put keys and values into the dict under them."""
        target = self.stack[-1]
        kind = type(target)
        if kind not in (dict, OrderedDict, Counter) and not (isinstance(target, dict) and self.trusts(kind)):
            raise CheckpointError(f"the pickle assigns to items of an object of type {kind.__name__}")
        if len(items) % 2:
            raise CheckpointError(f"the pickle is damaged: a key without a value at byte {self.position}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.check_key(key)
            target[key] = value

    def check_key(self, key: Any) -> None:
        """Refuse what is not safe to hash."""
        if not self.trusts(type(key)):
            check_key(key)

    def set_item(self) -> None:
        """SETITEM: one key and value."""
        value, key = self.stack.pop(), self.stack.pop()
        self.assign([key, value])

    def add_items(self) -> None:
        """ADDITEMS: elements for a set."""
        items = self.to_mark()
        if type(self.stack[-1]) is not set:
            raise CheckpointError(f"the pickle adds elements to an object of type {type(self.stack[-1]).__name__}")
        for item in items:
            self.check_key(item)
        self.stack[-1].update(items)

    def frozen_set(self) -> None:
        """FROZENSET."""
        items = self.to_mark()
        for item in items:
            self.check_key(item)
        self.push(frozenset(items))

    # ---------------------------------------------------------------- values and memo

    def text(self, form: str) -> None:
        """A string, its length first."""
        # The pickler lets lone surrogates pass; so must we.
        self.push(self.take(self.number(form)).decode("utf-8", "surrogatepass"))

    def byte_string(self, form: str) -> None:
        """A string of Python 2, its length first."""
        piece = self.take(self.number(form))
        self.push(piece if self.encoding == "bytes" else piece.decode(self.encoding))

    def integer(self, form: str) -> None:
        """A long int, its length first."""
        self.push(int.from_bytes(self.take(self.number(form)), "little", signed=True))

    def put(self, place: int) -> None:
        """Keep the last value at ``place``."""
        self.memo[place] = self.stack[-1]

    def get(self, place: int) -> None:
        """Push what was kept at ``place``."""
        self.push(self.memo[place])

    def protocol(self) -> None:
        """PROTO: the version, checked."""
        version = self.take(1)[0]
        if not 2 <= version <= 5:
            raise CheckpointError(f"the pickle is of protocol {version}; 2 to 5 are read")


def set_state(target: Any, state: Any) -> None:
    """Give an object of a trusted class its state, as ``pickle`` does."""
    setter = getattr(target, "__setstate__", None)
    if setter is not None:
        setter(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        target.__dict__.update(state)
    for name, value in (slots or {}).items():
        setattr(target, name, value)


def opcode_name(code: int) -> str:
    """An opcode as ``pickletools`` calls it."""
    import pickletools

    for opcode in pickletools.opcodes:
        if ord(opcode.code) == code:
            return f"opcode {opcode.name}"
    return f"opcode {code:#04x}"


_STOP: Final = ord(".")

_INSTRUCTIONS: Final[dict[int, Callable[[PickleReader], None]]] = {
    ord(code): instruction
    for code, instruction in {
        "(": PickleReader.mark,
        ")": lambda m: m.push(()),
        "]": lambda m: m.push([]),
        "}": lambda m: m.push({}),
        "0": PickleReader.pop,
        "1": PickleReader.pop_mark,
        "2": lambda m: m.push(m.stack[-1]),
        "B": lambda m: m.push(m.take(m.number("<I"))),
        "C": lambda m: m.push(m.take(m.number("<B"))),
        "G": lambda m: m.push(m.number(">d")),
        "J": lambda m: m.push(m.number("<i")),
        "K": lambda m: m.push(m.number("<B")),
        "M": lambda m: m.push(m.number("<H")),
        "N": lambda m: m.push(None),
        "Q": PickleReader.persistent,
        "R": PickleReader.reduce,
        "T": lambda m: m.byte_string("<I"),
        "U": lambda m: m.byte_string("<B"),
        "X": lambda m: m.text("<I"),
        "a": PickleReader.append,
        "b": PickleReader.build,
        "c": PickleReader.global_line,
        "e": lambda m: m.extend(m.to_mark()),
        "h": lambda m: m.get(m.number("<B")),
        "i": PickleReader.inst,
        "j": lambda m: m.get(m.number("<I")),
        "q": lambda m: m.put(m.number("<B")),
        "r": lambda m: m.put(m.number("<I")),
        "s": PickleReader.set_item,
        "t": lambda m: m.push(tuple(m.to_mark())),
        "u": lambda m: m.assign(m.to_mark()),
        "\x80": PickleReader.protocol,
        "\x81": PickleReader.new_object,
        "\x85": lambda m: m.fold(1),
        "\x86": lambda m: m.fold(2),
        "\x87": lambda m: m.fold(3),
        "\x88": lambda m: m.push(True),
        "\x89": lambda m: m.push(False),
        "\x8a": lambda m: m.integer("<B"),
        "\x8b": lambda m: m.integer("<I"),
        "\x8c": lambda m: m.text("<B"),
        "\x8d": lambda m: m.text("<Q"),
        "\x8e": lambda m: m.push(m.take(m.number("<Q"))),
        "\x8f": lambda m: m.push(set()),
        "\x90": PickleReader.add_items,
        "\x91": PickleReader.frozen_set,
        "\x92": PickleReader.new_object_ex,
        "\x93": PickleReader.stack_global,
        "\x94": lambda m: m.put(len(m.memo)),
        "\x95": PickleReader.frame,
        "\x96": lambda m: m.push(bytearray(m.take(m.number("<Q")))),
    }.items()
}
