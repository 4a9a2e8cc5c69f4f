"""Who makes the functions of a struct: here, Python code is generated for each.

The one place where tchannel-speedups puts makers of its own, whose functions behave as the generated
ones. Each gets what generates the Python function, which stands behind for whatever is unusual.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..protocol.budget import Limits
from ..spec import StructTypeSpec

_FunctionT = TypeVar("_FunctionT", bound=Callable[..., object])


def dumper(spec: StructTypeSpec, generate: Callable[[], _FunctionT]) -> _FunctionT:
    """Make the encoder of payloads that are a struct."""
    del spec
    return generate()


def loader(spec: StructTypeSpec, limits: Limits, generate: Callable[[], _FunctionT]) -> _FunctionT:
    """Make the decoder of payloads that are a struct and come to what the limits allow."""
    del spec, limits
    return generate()


def constructor(spec: StructTypeSpec, generated: _FunctionT) -> _FunctionT:
    """Make the constructor of a struct, which becomes the ``__init__`` of its class."""
    del spec
    return generated
