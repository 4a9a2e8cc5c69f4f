"""``make demo CLUSTER=1``: the guide's demo on a real Hyperbahn of two nodes."""

import subprocess
import sys
import tempfile
from pathlib import Path

from thirdparty.hyperbahn import Cluster
from thirdparty.install import missing
from thirdparty.process import PeerFailure

DEMO = Path(__file__).resolve().parents[3] / "examples" / "guide" / "demo.py"


def main() -> int:
    """Start the nodes, run the demo with their addresses, and return its exit code."""
    if missing():
        print(f"cannot start: {'; '.join(missing())} (make peers installs them)", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="hyperbahn-") as folder:
        try:
            cluster = Cluster(2, Path(folder))
        except PeerFailure as failure:
            print(f"cannot start: {failure}", file=sys.stderr)
            return 1
        try:
            print("Hyperbahn listens on", " ".join(cluster.hostports), flush=True)
            return subprocess.call([sys.executable, str(DEMO), *cluster.hostports])
        finally:
            cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
