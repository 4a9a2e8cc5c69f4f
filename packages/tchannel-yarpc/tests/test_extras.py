"""What is said where an extra is not installed."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
sys.modules[{module!r}] = None  # as if it were not installed
from tchannel import TChannel
from tchannel_yarpc import Yarpc
try:
    Yarpc(TChannel("a")).{encoding}
except ModuleNotFoundError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "encoding", "extra"),
    [
        ("tchannel_thrift", "thrift", "thrift"),
        ("google", "proto", "protobuf"),
        ("google.protobuf", "proto", "protobuf"),
    ],
)
def test_an_encoding_without_its_extra_says_what_to_install(module, encoding, extra):
    script = SCRIPT.format(module=module, encoding=encoding)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip().endswith(
        f"which is not installed: pip install 'tchannel-yarpc[{extra}]'"
    )


def test_the_package_loads_neither_thrift_nor_protobuf():
    script = (
        "import sys, tchannel_yarpc\n"
        "print(sorted(n for n in sys.modules if n in {'tchannel_thrift', 'google.protobuf', 'grpc'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    import tchannel_yarpc

    for name in tchannel_yarpc.__all__:
        assert getattr(tchannel_yarpc, name) is not None
