"""Recording and replaying of calls; implemented by the tchannel-testing distribution."""

from ..._optional import install_hint

try:
    from tchannel_testing.vcr import Cassette, RecordMode, use_cassette
except ImportError as error:
    raise install_hint(error, needs="tchannel_testing", dist="tchannel-testing") from None

__all__ = ["Cassette", "RecordMode", "use_cassette"]
