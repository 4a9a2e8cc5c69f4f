"""JSON and YAML of strangers."""

import contextlib
import functools

from fuzzing.choices import Choices

from tchannel import TChannel, errors
from tchannel.schemes.json import JsonArgScheme, JsonCodec
from tchannel_testing.vcr import exceptions, yaml_format, yaml_reader

__all__ = ["cassettes", "json"]


@functools.cache
def _scheme() -> JsonArgScheme:
    return TChannel("fuzz").json


def json(data: bytes) -> None:
    """Headers and body as a service reads them, and as a caller does; what was read can be sent on."""
    choices = Choices(data)
    arg2, arg3 = choices.some(256), choices.rest()
    # What the serving side answers with "bad request".
    with contextlib.suppress(ValueError, RecursionError):
        headers, body = _scheme()._decode_request(arg2, arg3)
        assert isinstance(headers, dict)
        # NaN, the infinities and half characters are read, and refused when they are sent.
        with contextlib.suppress(ValueError):
            sent = JsonCodec().encode(body, "body")
            assert JsonCodec().decode(sent) == body
    with contextlib.suppress(errors.ReadError):
        response = _scheme()._decode_response(0, arg2, arg3, {})
        assert isinstance(response.headers, dict)


def cassettes(data: bytes) -> None:
    """A file is read or refused, and what was read is the same when it is written again."""
    try:
        interactions = yaml_reader.load(data, "fuzzed.yaml")
    except exceptions.InvalidCassetteError as error:
        assert "fuzzed.yaml" in str(error)
        return
    written = yaml_format.dump(interactions)
    # Text is written anew in a form that old readers know, once.
    again = yaml_reader.load(written, "again.yaml")
    assert yaml_format.dump(again) == written
