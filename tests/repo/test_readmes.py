"""The READMEs name what there is."""

import inspect
import re

import pytest

from tchannel import TChannel
from tchannel_wire import Connection


def parameters_in(text: str, name: str) -> list[str]:
    """The parameters of a function or class, as a README has its signature."""
    signature = max(re.findall(rf"`{name}\(([^`]*)\)`", text), key=len)
    return [one.partition("=")[0].strip() for one in signature.split(",")]


@pytest.mark.parametrize(
    ("package", "cls"), [("tchannel-wire", Connection), ("tchannel-core", TChannel)]
)
def test_the_arguments_of_the_main_class_are_those_that_it_has(root, package, cls):
    text = (root / "packages" / package / "README.md").read_text()
    gone = {"tracer", "context_provider"}  # they are there to say what to write instead
    taken = set(inspect.signature(cls).parameters) - gone

    assert set(parameters_in(text, cls.__name__)) - {"*"} == taken


def test_all_that_a_sans_io_connection_has_is_named(root):
    text = (root / "packages" / "tchannel-wire" / "README.md").read_text()
    public = {name for name in dir(Connection) if not name.startswith("_")}

    assert {name for name in public if not re.search(rf"\b{name}\b", text)} == set()
