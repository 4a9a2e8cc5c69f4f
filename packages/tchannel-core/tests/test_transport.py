"""The keys of the transport headers."""

from tchannel import transport


def test_keys_are_those_of_the_protocol() -> None:
    keys = {name: getattr(transport, name) for name in transport.__all__}
    assert keys == {
        "SCHEME": "as",
        "CALLER_NAME": "cn",
        "RETRY_FLAGS": "re",
        "SHARD_KEY": "sk",
        "ROUTING_DELEGATE": "rd",
        "ROUTING_KEY": "rk",
        "CLAIM_AT_START": "cas",
        "CLAIM_AT_FINISH": "caf",
        "SPECULATIVE_EXE": "se",
        "FAILURE_DOMAIN": "fd",
    }
