"""Where the methods derived from the op records are put (typed in ``derived.pyi``, which is generated)."""


class DerivedMethods:
    """Filled by `tensorcore.methods.derive`."""

    __slots__ = ()
