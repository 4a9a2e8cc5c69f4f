"""The API of tchannel-python before 0.16, which is not part of this library."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "use tchannel.TChannel, whose calls work with Tornado's yield as well as with await."
    " Its raw calls stream: channel.raw(service, endpoint, body=async_iterator) sends,"
    " stream=True gives the response's body as an async iterator,"
    " and @channel.raw.register(name, stream=True) does the same for handlers,"
    " instead of tchannel.tornado.stream",
)
