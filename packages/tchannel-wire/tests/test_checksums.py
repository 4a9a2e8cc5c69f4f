"""Checksums: known values, running over pieces, and where CRC-32C comes from."""

import importlib
import sys
import types
import warnings
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tchannel_wire import ChecksumType, checksum, checksums, chunks_checksum, verify_chunks
from tchannel_wire.farmhash import fingerprint32, fingerprint32_with_seed

CHECK = b"123456789"


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (ChecksumType.NONE, 0),
        (ChecksumType.CRC32, 0xCBF43926),
        (ChecksumType.CRC32C, 0xE3069283),
        (ChecksumType.FARMHASH, fingerprint32(CHECK)),
    ],
)
def test_known_value_of_each_type(type, expected):
    assert expected == checksum(type, CHECK)


def test_unknown_type_is_a_value_error():
    with pytest.raises(ValueError, match="4"):
        checksum(4, CHECK)


@pytest.mark.parametrize("type", [ChecksumType.NONE, ChecksumType.CRC32, ChecksumType.CRC32C])
@given(chunks=st.lists(st.binary(max_size=50), max_size=5))
def test_checksum_of_chunks_is_that_of_their_bytes_together(type, chunks):
    assert checksum(type, b"".join(chunks)) == chunks_checksum(type, chunks)


@pytest.mark.parametrize("type", [ChecksumType.CRC32, ChecksumType.CRC32C])
@given(first=st.binary(max_size=50), second=st.binary(max_size=50))
def test_checksum_runs_over_fragments(type, first, second):
    seed = chunks_checksum(type, [first])

    assert checksum(type, first + second) == chunks_checksum(type, [second], seed)


@given(data=st.binary(max_size=300), seed=st.integers(0, 0xFFFFFFFF))
def test_table_gives_the_same_crc32c_as_what_is_used(data, seed):
    assert checksums.crc32c(data, seed) == checksums.crc32c_by_table(data, seed)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_table_gives_the_crc32c_of_the_iscsi_standard(data, expected):
    assert expected == checksums.crc32c_by_table(data)


def test_farmhash_is_written_as_the_last_chunk_s_fingerprint():
    assert fingerprint32(b"body") == chunks_checksum(ChecksumType.FARMHASH, [b"a", b"body"], 99)
    assert fingerprint32(b"") == chunks_checksum(ChecksumType.FARMHASH, [])


def test_farmhash_is_read_as_node_as_the_protocol_and_as_go_write_it():
    chunks = [b"echo", b"", b"body"]
    chained = 0
    for chunk in chunks:
        chained = fingerprint32_with_seed(chunk, chained)

    assert verify_chunks(ChecksumType.FARMHASH, fingerprint32(b"body"), chunks)
    assert verify_chunks(ChecksumType.FARMHASH, chained, chunks)
    assert verify_chunks(ChecksumType.FARMHASH, 0, chunks)
    assert not verify_chunks(ChecksumType.FARMHASH, 12345, chunks)


def test_verification_uses_the_previous_frame_s_checksum_as_seed():
    seed = zlib.crc32(b"first")

    assert verify_chunks(ChecksumType.CRC32, zlib.crc32(b"firstsecond"), [b"second"], seed)
    assert not verify_chunks(ChecksumType.CRC32, zlib.crc32(b"second"), [b"second"], seed)


def test_type_none_verifies_whatever_it_is():
    assert verify_chunks(ChecksumType.NONE, 0, [b"anything"])


@pytest.fixture
def reloaded(monkeypatch):
    """Loads a second copy of the module with other libraries installed than there are."""

    def load(**modules):
        for name in ("google_crc32c", "crc32c"):
            monkeypatch.setitem(sys.modules, name, modules.get(name))
        spec = importlib.util.find_spec("tchannel_wire.checksums")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_without_a_library_the_table_is_used(reloaded):
    module = reloaded()

    assert module.crc32c.__name__ == "crc32c_by_table"
    assert module.crc32c(CHECK, 0) == 0xE3069283


def test_the_crc32c_package_is_used_where_it_is_the_only_one(reloaded):
    fake = types.ModuleType("crc32c")
    fake.crc32c = lambda data, seed=0: 42

    assert reloaded(crc32c=fake).crc32c(CHECK, 0) == 42


def test_google_crc32c_that_warns_of_its_slow_code_is_not_used(reloaded, monkeypatch, tmp_path):
    (tmp_path / "google_crc32c.py").write_text(
        "import warnings\nwarnings.warn('slow', RuntimeWarning)\ndef extend(): pass\nvalue = extend\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "crc32c", None)
    monkeypatch.delitem(sys.modules, "google_crc32c", raising=False)
    spec = importlib.util.find_spec("tchannel_wire.checksums")
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spec.loader.exec_module(module)

    assert module.crc32c.__name__ == "crc32c_by_table"
    assert "google_crc32c" not in sys.modules
