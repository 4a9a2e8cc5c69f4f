"""Calls of our services, for every team."""
import functools
import inspect

import tchannel
import tchannel.errors
from tchannel import messages  # migrate: wire-modules
from tchannel.frame import Frame  # migrate: wire-modules
from tchannel.peer_strategy import PreferIncomingCalculator  # migrate: peer-modules
from tchannel.thrift import client_for
from tchannel.thrift.reflection import get_service_methods  # migrate: thrift-insides
from tchannel.serializer.thrift import ThriftSerializer  # migrate: serializers
from tchannel.deprecate import deprecated  # migrate: helper-modules
from tchannel.enum import enum  # migrate: helper-modules
from tchannel.retry import CONNECTION_ERROR
from tchannel.singleton import TChannel as Singleton

Level = enum('Level', low=1, high=2)


def prepare():
    Singleton.prepare('library', known_peers=['127.0.0.1:21300'])
    return Singleton.get_instance()


def channel_of(name):
    made = tchannel.TChannel(name, reuse_port=True)  # migrate: trace-default
    made._dep_tchannel.peers._strategy = PreferIncomingCalculator()  # migrate: old-insides
    return made


def retried(function):
    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        kwargs.setdefault('retry_on', CONNECTION_ERROR)
        return function(*args, **kwargs)
    return wrapped


class Client(object):
    def __init__(self, channel, service, generated):
        self._channel = channel
        self._service = service
        self._methods = inspect.getmembers(generated.Iface, inspect.isfunction)
        self._client = client_for(service, generated)(tchannel=channel)

    async def call(self, name, *args):
        try:
            return await getattr(self._client, name)(*args)
        except (tchannel.errors.UnexpectedError, tchannel.errors.BadRequestError):  # migrate: unexpected-retried
            return None

    async def alive(self):
        response = await self._channel.raw(self._service, 'health')
        return response.body == b'ok'
