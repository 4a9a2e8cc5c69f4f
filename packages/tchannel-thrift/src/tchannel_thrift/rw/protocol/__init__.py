"""Protocols: how values become bytes."""

from .binary import BinaryProtocol, BinaryReader, BinaryWriter, Protocol

__all__ = ["BinaryProtocol", "BinaryReader", "BinaryWriter", "Protocol"]
