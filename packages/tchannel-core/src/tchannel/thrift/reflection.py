"""What Thrift modules are asked for."""

from .._ground.replaced import replaced

raise replaced(
    __name__,
    "a module of tchannel.thrift.load has its services as attributes, and in"
    " `__services__`; an Apache module is asked by inspect of the standard library",
)
