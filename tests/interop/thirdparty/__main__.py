"""``make cluster``: run a Hyperbahn cluster in the foreground until Ctrl-C or SIGTERM."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from thirdparty.hyperbahn import Cluster
from thirdparty.install import missing
from thirdparty.process import PeerFailure


def main() -> int:
    """Start the nodes, print their addresses, wait for the signal, stop them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=2, help="how many nodes (default 2)")
    parser.add_argument("--port", type=int, default=21300, help="port of the first (default 21300)")
    options = parser.parse_args()
    if missing():
        print(f"cannot start: {'; '.join(missing())} (make peers installs them)", file=sys.stderr)
        return 1
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with tempfile.TemporaryDirectory(prefix="hyperbahn-") as folder:
        ports = [options.port + number for number in range(options.nodes)]
        try:
            cluster = Cluster(options.nodes, Path(folder), ports)
        except PeerFailure as failure:
            print(f"cannot start: {failure}", file=sys.stderr)
            return 1
        print("Hyperbahn listens on", " ".join(cluster.hostports), flush=True)
        print("Ctrl-C ends it.", flush=True)
        signal.sigwait(signals)
        cluster.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
