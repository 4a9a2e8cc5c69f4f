"""Which instances serve which names, and for how much longer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from logging import Logger
from typing import TYPE_CHECKING

from tchannel.clock import Clock, TimerHandle
from tchannel.lowlevel import logger, parse_hostport

from .call_queue import CallQueue

if TYPE_CHECKING:
    from .connection import RouterConnection

__all__ = ["Directory", "Instance"]

log: Logger = logger("tchannel.router")


class Instance:
    """One process that serves one or more names.

    Args:
        hostport: Where it listens; for one that does not listen, the address of its socket.
        queue: For calls that wait for a connection to it.
        ephemeral: Whether it does not listen, so that it can be called over its own connection only.

    """

    __slots__ = (
        "accepted",
        "connecting",
        "ephemeral",
        "hostport",
        "names",
        "opened",
        "pending",
        "queue",
    )

    def __init__(self, hostport: str, queue: CallQueue, *, ephemeral: bool = False) -> None:
        self.hostport: str = hostport
        self.ephemeral: bool = ephemeral
        self.accepted: list[RouterConnection] = []
        """Connections that it opened to us; the last is the one that advertised last."""
        self.opened: list[RouterConnection] = []
        """Connections that we opened to it."""
        self.connecting: bool = False
        self.names: int = 0
        """How many names it serves."""
        self.pending: int = 0
        """Calls that it has to answer."""
        self.queue: CallQueue = queue

    @property
    def connection(self) -> RouterConnection | None:
        """The connection for its next call: one of its own before one of ours."""
        for connection in reversed(self.accepted):
            if connection.usable:
                return connection
        for connection in self.opened:
            if connection.usable:
                return connection
        return None

    @property
    def busy(self) -> int:
        """How much it has to do."""
        return self.pending + len(self.queue.exchanges)

    def __repr__(self) -> str:
        return f"<Instance {self.hostport}: {self.pending} pending>"


class Directory:
    """The advertised names.

    Args:
        clock: For forgetting.
        forget_after: Seconds after its last advertisement that an instance loses a name.
        on_forgotten: Called with an instance that has no name any more.
        make_queue: Makes the queue of an instance.

    """

    def __init__(
        self,
        clock: Clock,
        forget_after: float,
        on_forgotten: Callable[[Instance], object],
        make_queue: Callable[[], CallQueue],
    ) -> None:
        self._clock = clock
        self._forget_after = forget_after
        self._on_forgotten = on_forgotten
        self._make_queue = make_queue
        self._services: dict[str, dict[Instance, TimerHandle]] = {}
        self._instances: dict[str, Instance] = {}

    @property
    def services(self) -> dict[str, list[str]]:
        """All names, each with the addresses of its instances."""
        return {
            name: [instance.hostport for instance in instances]
            for name, instances in self._services.items()
        }

    def instances(self, name: str) -> list[Instance]:
        """The instances that serve ``name``."""
        return list(self._services.get(name, ()))

    def serves(self, name: str) -> bool:
        """Say whether some instance serves ``name``."""
        return name in self._services

    def instance(self, hostport: str, *, ephemeral: bool) -> Instance:
        """Return the instance of an address, made when there is none."""
        instance = self._instances.get(hostport)
        if instance is None:
            instance = Instance(hostport, self._make_queue(), ephemeral=ephemeral)
            self._instances[hostport] = instance
        return instance

    def count_on(self, host: str) -> int:
        """How many instances have their addresses on ``host``."""
        return sum(parse_hostport(known)[0] == host for known in self._instances)

    def find(self, hostport: str) -> Instance | None:
        """The instance of an address, if it serves any name."""
        return self._instances.get(hostport)

    def advertise(self, name: str, instance: Instance) -> None:
        """Let ``instance`` serve ``name`` for as long as it is remembered."""
        instances = self._services.setdefault(name, {})
        timer = instances.get(instance)
        if timer is None:
            instance.names += 1
            log.info("%s serves %r", instance.hostport, name)
        else:
            timer.cancel()
        instances[instance] = self._clock.call_at(
            self._clock.time() + self._forget_after, self._forget, name, instance
        )

    def unadvertise(self, name: str, instance: Instance) -> None:
        """Let ``instance`` serve ``name`` no more; harmless when it did not."""
        instances = self._services.get(name, {})
        timer = instances.pop(instance, None)
        if timer is not None:
            timer.cancel()
            instance.names -= 1
            log.info("%s serves %r no more", instance.hostport, name)
            self._drop_unused(name, instance)

    def remove(self, instance: Instance) -> None:
        """Let ``instance`` serve nothing any more."""
        for name in [name for name, found in self._services.items() if instance in found]:
            self.unadvertise(name, instance)

    def clear(self) -> None:
        """Forget everything, timers included."""
        for instances in self._services.values():
            for timer in instances.values():
                timer.cancel()
        self._services.clear()
        self._instances.clear()

    def choose(self, name: str) -> Instance | None:
        """The instance for the next call of ``name``: connected before others, then the least busy.

        One that does not read what it is sent comes after those that do. Equals take turns.
        """
        instances = self._services.get(name)
        if not instances:
            return None
        best = _least_busy(instances)
        if len(instances) > 1:
            # To the end: among equals the one that was not asked for longest comes first.
            instances[best] = instances.pop(best)
        return best

    def next_choice(self, name: str) -> Instance | None:
        """What `choose` would return now."""
        instances = self._services.get(name)
        return _least_busy(instances) if instances else None

    def _forget(self, name: str, instance: Instance) -> None:
        log.info("%s has not advertised %r for %g s", instance.hostport, name, self._forget_after)
        self.unadvertise(name, instance)

    def _drop_unused(self, name: str, instance: Instance) -> None:
        if not self._services[name]:
            del self._services[name]
        if not self.serves_anything(instance):
            self._on_forgotten(instance)
            self.drop_unused(instance)

    def served_by(self, instance: Instance) -> set[str]:
        """The names of ``instance``."""
        return {name for name, instances in self._services.items() if instance in instances}

    def serves_anything(self, instance: Instance) -> bool:
        """Say whether ``instance`` has any name."""
        return instance.names > 0

    def drop_unused(self, instance: Instance) -> None:
        """Forget the address of an instance without names and connections."""
        if not (instance.accepted or instance.opened or instance.connecting) and (
            not self.serves_anything(instance)
        ):
            self._instances.pop(instance.hostport, None)


def _least_busy(instances: Iterable[Instance]) -> Instance:
    best: Instance | None = None
    best_busy = 0
    stuck: Instance | None = None
    for instance in instances:
        connection = instance.connection
        if connection is None:
            continue
        if connection.full:
            stuck = stuck or instance
            continue
        busy = instance.pending
        if best is None or busy < best_busy:
            best, best_busy = instance, busy
            if not busy:
                break
    return best or stuck or min(instances, key=_busy)


def _busy(instance: Instance) -> int:
    return instance.busy
