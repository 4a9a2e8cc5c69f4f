# Made by generate_stubs.py. Apache's compiler says nothing of types; they are those of the IDL.
from typing import ClassVar

from .ttypes import *
ANSWER: int
COLORS: list[str]
