"""Every test runs twice: as first uses of its types, and with the code generated for them."""

import pytest

from tchannel_thrift.rw.codegen import warmup


@pytest.fixture(autouse=True, params=["cold", "generated"])
def uses(request, monkeypatch):
    monkeypatch.setattr(warmup, "USES", 10**9 if request.param == "cold" else 0)
