"""Thrift services, whatever made their module, and finding them in what users hand over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from .method import Method

if TYPE_CHECKING:
    from .adapters.shapes import FunctionSurface

__all__ = ["ThriftService", "choose", "services_in"]


class ThriftService(ABC):
    """A service of a Thrift module.

    Attributes:
        name: Its name, the first half of its endpoints.
        module: The module with the text of its IDL, or None where that is not known.
        spec: What the IDL says about it, a ``ServiceSpec``; None where that is not known.

    """

    name: str
    module: ModuleType | None = None
    # The engine's or thriftrw's, which look alike but have no class in common.
    spec: object = None

    @abstractmethod
    def method_names(self) -> list[str]:
        """Return the names of its functions: inherited ones first, in the order of the IDL."""

    @abstractmethod
    def is_oneway(self, name: str) -> bool:
        """Say whether nobody waits for that function's answer."""

    @abstractmethod
    def method(self, name: str) -> Method:
        """Return a function by its name.

        Raises:
            ValueError: There is none of that name.
            OneWayNotSupportedError: It is oneway.

        """

    def has(self, name: str) -> bool:
        """Say whether there is a function of that name."""
        return name in self.method_names()

    def surface(self, name: str) -> FunctionSurface | None:
        """Return a function's ``ServiceFunction``, where its module has such; else None."""
        return None

    def renamed(self, name: str) -> ThriftService | None:
        """Return the same service under another name, if its kind of module leaves that open."""
        return None

    def unknown(self, name: str) -> ValueError:
        """Return the error for a function that is not there."""
        known = ", ".join(self.method_names()) or "none"
        return ValueError(f"service {self.name} has no function {name!r}; it has: {known}")


def services_in(thrift_module: object) -> list[ThriftService]:
    """Return the services of a Thrift module, or the one that is given.

    Args:
        thrift_module: A service or a module loaded by `tchannel.thrift.load`, by the engine
            (`tchannel_thrift.rw`) or by thriftrw; or a module made by Apache's compiler.

    Raises:
        TypeError: It is none of these.
        ValueError: It is a module without services.

    """
    from .request import RequestBuilder

    if isinstance(thrift_module, RequestBuilder):
        return [thrift_module._thrift_service]
    found: Sequence[ThriftService] | None = None
    if hasattr(thrift_module, "service_spec") or hasattr(thrift_module, "__services__"):
        from .adapters.engine import services

        found = services(thrift_module)
    elif isinstance(thrift_module, ModuleType):
        from .adapters import apache

        found = apache.services(thrift_module)
    if found is None:
        raise TypeError(
            "a Thrift service or module is needed: loaded by tchannel.thrift.load, or made by"
            f" Apache's compiler; this is {thrift_module!r}"
        )
    if not found:
        raise ValueError(f"{thrift_module!r} has no services")
    return list(found)


def choose(
    services: Sequence[ThriftService], service: str | None = None, method: str | None = None
) -> ThriftService:
    """Return the one service that is meant.

    Args:
        services: Those of a module.
        service: Its name; None where it is clear without. An Apache module gets that name.
        method: A function that it has.

    Raises:
        ValueError: None fits, or several do.

    """
    names = ", ".join(one.name for one in services)
    if service is not None:
        for one in services:
            if one.name == service:
                return one
        renamed = services[0].renamed(service) if len(services) == 1 else None
        if renamed is not None:
            return renamed
        raise ValueError(f"there is no service {service!r}; there are: {names}")
    if len(services) == 1:
        return services[0]
    fitting = [one for one in services if method is not None and one.has(method)]
    if len(fitting) == 1:
        return fitting[0]
    if method is not None and not fitting:
        raise ValueError(f"none of the services {names} has a function {method!r}")
    raise ValueError(f"say which service is meant; there are: {names}")
