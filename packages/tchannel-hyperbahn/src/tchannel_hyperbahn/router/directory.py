"""Which instances serve which names, and for how much longer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from tchannel.clock import Clock, TimerHandle

if TYPE_CHECKING:
    from .connection import RouterConnection
    from .exchange import Exchange

__all__ = ["Directory", "Instance"]

log = logging.getLogger("tchannel.router")


class Instance:
    """One process that serves one or more names.

    Args:
        hostport: Where it listens; for one that does not listen, the address of its socket.
        ephemeral: Whether it does not listen, so that it can be called over its own connection only.

    """

    __slots__ = (
        "accepted",
        "connecting",
        "ephemeral",
        "held",
        "hostport",
        "opened",
        "pending",
        "queue",
        "queued_bytes",
    )

    def __init__(self, hostport: str, *, ephemeral: bool = False) -> None:
        self.hostport = hostport
        self.ephemeral = ephemeral
        self.accepted: list[RouterConnection] = []
        """Connections that it opened to us; the last is the one that advertised last."""
        self.opened: list[RouterConnection] = []
        """Connections that we opened to it."""
        self.connecting = False
        self.pending = 0
        """Calls that it has to answer."""
        self.queue: list[Exchange] = []
        """Calls that wait for a connection to it."""
        self.queued_bytes = 0
        self.held: set[RouterConnection] = set()
        """Callers that are not read from, because too much waits for a connection to it."""

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
        return self.pending + len(self.queue)

    def __repr__(self) -> str:
        return f"<Instance {self.hostport}: {self.pending} pending>"


class Directory:
    """The advertised names.

    Args:
        clock: For forgetting.
        forget_after: Seconds after its last advertisement that an instance loses a name.
        on_forgotten: Called with an instance that has no name any more.

    """

    def __init__(
        self, clock: Clock, forget_after: float, on_forgotten: Callable[[Instance], object]
    ) -> None:
        self._clock = clock
        self._forget_after = forget_after
        self._on_forgotten = on_forgotten
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

    def instance(self, hostport: str, *, ephemeral: bool) -> Instance:
        """Return the instance of an address, made when there is none."""
        instance = self._instances.get(hostport)
        if instance is None:
            instance = self._instances[hostport] = Instance(hostport, ephemeral=ephemeral)
        return instance

    def find(self, hostport: str) -> Instance | None:
        """The instance of an address, if it serves any name."""
        return self._instances.get(hostport)

    def advertise(self, name: str, instance: Instance) -> None:
        """Let ``instance`` serve ``name`` for as long as it is remembered."""
        instances = self._services.setdefault(name, {})
        timer = instances.get(instance)
        if timer is None:
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

        Equals take turns.
        """
        instances = self._services.get(name)
        if not instances:
            return None
        best: Instance | None = None
        best_busy = 0
        for instance in instances:
            if instance.connection is None:
                continue
            busy = instance.pending
            if best is None or busy < best_busy:
                best, best_busy = instance, busy
                if not busy:
                    break
        if best is None:
            best = min(instances, key=_queued)
        if len(instances) > 1:
            # To the end: among equals the one that was not asked for longest comes first.
            instances[best] = instances.pop(best)
        return best

    def _forget(self, name: str, instance: Instance) -> None:
        log.info("%s has not advertised %r for %g s", instance.hostport, name, self._forget_after)
        self.unadvertise(name, instance)

    def _drop_unused(self, name: str, instance: Instance) -> None:
        if not self._services[name]:
            del self._services[name]
        if not self.serves_anything(instance):
            self._on_forgotten(instance)
            self.drop_unused(instance)

    def serves_anything(self, instance: Instance) -> bool:
        """Say whether ``instance`` has any name."""
        return any(instance in instances for instances in self._services.values())

    def drop_unused(self, instance: Instance) -> None:
        """Forget the address of an instance without names and connections."""
        if not (instance.accepted or instance.opened or instance.connecting) and (
            not self.serves_anything(instance)
        ):
            self._instances.pop(instance.hostport, None)


def _queued(instance: Instance) -> int:
    return instance.busy
