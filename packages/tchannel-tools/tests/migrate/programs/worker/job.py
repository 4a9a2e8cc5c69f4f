import threading
import time

import thriftrw  # migrate: thriftrw
from thriftrw.errors import ThriftError  # migrate: thriftrw
from threadloop import ThreadLoop  # migrate: threadloop

from tchannel import TChannel as AsyncTChannel
from tchannel import sync
from tchannel.sync import TChannel
from tchannel.sync import client_for
from tchannel.tornado import RequestDispatcher  # migrate: tornado-api

loop = ThreadLoop()
channel = TChannel('worker', known_peers=['127.0.0.1:21300'], threadloop=loop)  # migrate: threadloop

users = thriftrw.load('users.thrift')


@channel.raw.register  # migrate: sync-register
def ping(request):
    return request.body


def is_channel(value):
    return isinstance(value, (AsyncTChannel, sync.TChannel))  # migrate: sync-instance


def work(batch):
    for user in batch:
        future = channel.json(
            'users',
            'touch',
            {'id': user},
            timeout=30000,  # migrate: milliseconds
        )
        try:
            future.result()
        except ThriftError:
            time.sleep(1)
    beat = channel.raw('monitor', 'beat', 'worker').result()
    assert beat.body == 'ok'  # migrate: raw-text


def main():
    threads = [threading.Thread(target=work, args=(range(n, n + 10),)) for n in range(4)]
    for one in threads:
        one.start()
