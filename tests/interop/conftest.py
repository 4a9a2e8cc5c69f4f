"""Fixtures of the tests against third-party peers. ``make interop`` installs the peers and runs these.

All tests of this folder carry the marker ``interop``. Where the peers are not installed the tests
are skipped, unless TCHANNEL_REQUIRE_PEERS is set: then they fail.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # the package "thirdparty" is not installed; make cluster uses it too

from thirdparty import hyperbahn as hyperbahn_module
from thirdparty import install
from thirdparty.peer import KINDS, Peer

StartPeer = Callable[..., Peer]
StartHyperbahn = Callable[[int], hyperbahn_module.Cluster]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "load: waits most of its time; runs beside the others (make interop)"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session", autouse=True)
def peers_installed(skip_or_fail: Callable[[str], None]) -> None:
    """Every test here needs the peers."""
    if install.missing():
        skip_or_fail(f"{'; '.join(install.missing())}: run make interop")


@pytest.fixture(scope="session")
def log_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the peers' logs go."""
    return tmp_path_factory.mktemp("peers")


def _log(folder: Path, stem: str) -> Path:
    taken = len(list(folder.iterdir()))
    return folder / f"{stem}-{taken}.log"


@pytest.fixture
def start_peer(log_folder: Path) -> Iterator[StartPeer]:
    """A function that starts a peer for this test alone: ``start_peer("node4", "name", listen=True)``.

    Kinds are "node4", "node3" (tchannel-node 4.0.1 and 3.10.1) and "py21" (tchannel-python 2.1.0).
    Such a peer may be killed, frozen and drained; it is ended with the test in any case.
    """
    started: list[Peer] = []

    def start(
        kind: str, service: str = "peer", *, listen: bool = True, checksum: int | None = None
    ) -> Peer:
        log = _log(log_folder, f"{kind}-{service}")
        started.append(Peer(kind, service, log, listen=listen, checksum=checksum))
        return started[-1]

    yield start
    for peer in started:
        peer.stop()


def _session_peer(kind: str, folder: Path) -> Iterator[Peer]:
    peer = Peer(kind, f"{kind}-service", _log(folder, kind))
    yield peer
    peer.stop()


@pytest.fixture(scope="session")
def node4(log_folder: Path) -> Iterator[Peer]:
    """A listening tchannel-node 4.0.1 for the whole run; its service is "node4-service".

    It is a client as well. Leave it as it is: what harms a peer needs one from `start_peer`.
    """
    yield from _session_peer("node4", log_folder)


@pytest.fixture(scope="session")
def node3(log_folder: Path) -> Iterator[Peer]:
    """A listening tchannel-node 3.10.1, like `node4`; its service is "node3-service"."""
    yield from _session_peer("node3", log_folder)


@pytest.fixture(scope="session")
def py21(log_folder: Path) -> Iterator[Peer]:
    """A listening tchannel-python 2.1.0, like `node4`; its service is "py21-service"."""
    yield from _session_peer("py21", log_folder)


@pytest.fixture(params=KINDS)
def peer(request: pytest.FixtureRequest) -> Peer:
    """Each of `node4`, `node3` and `py21` in turn."""
    found: Peer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def start_hyperbahn(tmp_path: Path) -> Iterator[StartHyperbahn]:
    """A function that starts a Hyperbahn of so many nodes for this test alone: it may be harmed."""
    started: list[hyperbahn_module.Cluster] = []

    def start(nodes: int) -> hyperbahn_module.Cluster:
        started.append(hyperbahn_module.Cluster(nodes, tmp_path))
        return started[-1]

    yield start
    for cluster in started:
        cluster.stop()


def _session_cluster(nodes: int, folder: Path) -> Iterator[hyperbahn_module.Cluster]:
    cluster = hyperbahn_module.Cluster(nodes, folder)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def hyperbahn(log_folder: Path) -> Iterator[hyperbahn_module.Cluster]:
    """A Hyperbahn of one node for the whole run; `hostports` has its address.

    Services stay advertised, so let each test use a name of its own (`service_name`).
    """
    yield from _session_cluster(1, log_folder)


@pytest.fixture(scope="session")
def hyperbahn_pair(log_folder: Path) -> Iterator[hyperbahn_module.Cluster]:
    """A Hyperbahn of two nodes for the whole run, each service on one of them only."""
    yield from _session_cluster(2, log_folder)


@pytest.fixture
def service_name(request: pytest.FixtureRequest) -> str:
    """A service name that no other test uses."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.nodeid.rsplit("::", 1)[-1])
    return name.strip("-")[:60]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Iterator[None]:
    """Show the end of the peers' logs under a test that failed."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        folder = item.funcargs.get("log_folder")
        for log in sorted(folder.iterdir()) if isinstance(folder, Path) else []:
            text = log.read_text(errors="replace")
            if text:
                report.sections.append((f"end of {log.name}", text[-2000:]))
    return report
