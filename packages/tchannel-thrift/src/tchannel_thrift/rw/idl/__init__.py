"""The front end of the engine: Thrift documents as text, made into syntax trees.

``parse`` is the way in, ``ast`` has the trees. Nothing here knows what a document means.
"""

from __future__ import annotations

from . import ast
from .parser import parse

__all__ = ["ast", "parse"]
