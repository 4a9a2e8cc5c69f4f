"""Where ``make interop`` installs the third-party peers, and whether it has."""

import shutil
from pathlib import Path

PEERS = Path(__file__).resolve().parents[1] / "peers"
NODE = PEERS / "node"
PY21 = PEERS / "py21"
IDL = PEERS / "idl"
TCURL = NODE / "node_modules" / "tcurl" / "index.js"
HYPERBAHN = NODE / "hyperbahn.js"
HYPERBAHN_IDL = NODE / "node_modules" / "hyperbahn" / "hyperbahn.thrift"


def missing() -> list[str]:
    """What of the peers is not installed, one phrase each; empty when all is there."""
    found = {
        "node is not on the PATH": shutil.which("node") is not None,
        "the node packages are not installed": HYPERBAHN_IDL.exists() and TCURL.exists(),
        "tchannel-python 2.1.0 is not installed": (PY21 / ".venv" / "bin" / "python").exists(),
    }
    return [phrase for phrase, there in found.items() if not there]
