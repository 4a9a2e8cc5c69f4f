"""Doubles of Thrift services, made of their IDL; needs tchannel-thrift.

::

    async with FakeThriftService("keyvalue", "service.thrift") as service:
        service.on("getValue").answers("value")
        ...
        service.assert_called_with("getValue", body={"key": "foo"})

Every function answers from the start, with the plainest value of its type: what a test does not care
about needs no line.
"""

import os
import uuid
from typing import Any

from tchannel import Request, Response, clock

from .calls import ReceivedCall
from .service import FakeService, Programme, Step

try:
    from tchannel_thrift import load
    from tchannel_thrift.rw import spec as specs
except ModuleNotFoundError as _error:
    if _error.name != "tchannel_thrift":
        raise
    raise ModuleNotFoundError(
        "doubles of Thrift services need tchannel-thrift: pip install tchannel-testing[thrift]",
        name=_error.name,
    ) from None

__all__ = ["FakeThriftService", "default_value"]


class FakeThriftService(FakeService):
    """A programmable Thrift service; see :class:`~tchannel_testing.FakeService`.

    :param name: the TChannel name of the service.
    :param thrift: the IDL's path, or a module made of it by ``tchannel.thrift.load`` or by
        ``tchannel_thrift.rw``.
    :param service: the Thrift service, where the IDL has several.
    :param hostport: where it listens. Default a free port of 127.0.0.1.
    :param clock: the channel's clock; default the loop's.
    :raises ThriftError: the IDL is wrong.
    :raises ValueError: there is no such service, or several and none is named.

    ``module`` is the module. Steps answer with what handlers return: values, dicts where the IDL
    has structs. A declared exception is an answer: ``raises(module.NotFound(...))``. The ``body`` of
    a received call is a dict of its arguments.
    """

    def __init__(
        self,
        name: str,
        thrift: Any,  # a path or a module of any kind that has an engine's services
        service: str | None = None,
        hostport: str = "127.0.0.1:0",
        *,
        clock: clock.Clock | None = None,
    ) -> None:
        super().__init__(name, hostport, clock=clock)
        if isinstance(thrift, str | os.PathLike):
            # As callers load it: a file's exceptions are the same classes for all of them.
            thrift = load(thrift, service=name)
        self.module = thrift
        self._surface = _choose(thrift, service)
        spec: specs.ServiceSpec | None = self._surface.service_spec
        while spec is not None:
            for function in spec.functions:
                if not function.oneway:  # TChannel has no calls without an answer
                    self._serve(function)
            spec = spec.parent

    def _serve(self, function: specs.FunctionSpec) -> None:
        name = function.name
        if name in self._programmes:
            return
        returns = function.result_spec.return_spec if function.result_spec is not None else None
        value = None if returns is None else default_value(returns)

        def answer_default(request: Request) -> Response:
            return Response(value)

        programme = self._programmes[name] = Programme(self.channel, answer_default, "thrift")
        arguments = [field.name for field in function.args_spec.fields]

        def handle(request: Request) -> Any:
            body = {argument: getattr(request.body, argument) for argument in arguments}
            self.calls.add(ReceivedCall.of(name, request, body))
            return programme._next()(request)

        handler: Step = handle
        self.channel.thrift.register(self._surface, handler=handler, method=name)

    def on(self, endpoint: str, scheme: str = "thrift") -> Programme:
        """The programme of a function, by its name in the IDL.

        :raises ValueError: the service has no such function; the message has those it has. Or
            another scheme than thrift.
        """
        if scheme != "thrift":
            raise ValueError(f"a Thrift service speaks thrift, not {scheme!r}")
        programme = self._programmes.get(endpoint)
        if programme is None:
            known = ", ".join(self._programmes)
            raise ValueError(
                f"{self._surface.__name__} has no function {endpoint!r}; it has {known}"
            )
        return programme


def _choose(module: Any, service: str | None) -> Any:
    found = {one.service_spec.name: one for one in getattr(module, "__services__", ())}
    if service is None and len(found) > 1:
        # A service that others extend is rarely the one that is meant.
        parents = {
            one.service_spec.parent.name for one in found.values() if one.service_spec.parent
        }
        derived = [name for name in found if name not in parents]
        service = derived[0] if len(derived) == 1 else None
    elif service is None and found:
        (service,) = found
    if service is None or service not in found:
        names = ", ".join(found) or "none"
        raise ValueError(f"say which service is meant; {module!r} has: {names}")
    return found[service]


_PLAIN = {
    "bool": False,
    **dict.fromkeys(("byte", "i8", "i16", "i32", "i64"), 0),
    "double": 0.0,
    "string": "",
    "binary": b"",
    "uuid": uuid.UUID(int=0),
}


# Any: of the type that the spec says.
def default_value(spec: specs.TypeSpec) -> Any:
    """The plainest value of a type: zero, empty, the first of an enum, a struct of what it requires.

    :raises ValueError: there is none: a struct that requires itself.
    """
    return _default(spec, ())


def _default(spec: specs.TypeSpec, inside: tuple[str, ...]) -> object:
    if isinstance(spec, specs.TypedefTypeSpec):
        return _default(spec.target_spec, inside)
    if isinstance(spec, specs.EnumTypeSpec):
        return next(iter(spec.items.values()), 0)
    if isinstance(spec, specs.UnionTypeSpec):
        field = next(iter(spec.fields), None)
        return {} if field is None else {field.name: _field(spec, field, inside)}
    if isinstance(spec, specs.StructTypeSpec):
        # Fields that are not required stay away.
        return {field.name: _field(spec, field, inside) for field in spec.fields if field.required}
    if isinstance(spec, specs.MapTypeSpec):
        return {}
    if isinstance(spec, specs.SetTypeSpec):
        return set()
    if isinstance(spec, specs.ListTypeSpec):
        return []
    return _PLAIN[spec.name]


def _field(struct: specs.StructTypeSpec, field: specs.FieldSpec, inside: tuple[str, ...]) -> object:
    if field.default_value is not None:
        return field.default_value
    if struct.name in inside:
        raise ValueError(f"{' -> '.join((*inside, struct.name))} requires itself")
    return _default(field.spec, (*inside, struct.name))
