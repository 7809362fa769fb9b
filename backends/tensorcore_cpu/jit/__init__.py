"""Machine code for what NumPy does in many passes: elementwise expressions compiled to one loop over vector registers.

A composite such as `gelu` is traced once, its expression becomes a `vectors.Body` (`tracing`), the body becomes a loop
of AVX2 or AVX-512 instructions (`compiling`, by the encodings in `x86`), and the loop a function of addresses in
executable memory (`executable`). Nothing is compiled where the processor, the system or `TENSORCORE_JIT=0` says no:
the expression then runs op by op, as on any other backend.
"""
