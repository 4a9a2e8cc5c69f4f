from __future__ import annotations

import os

import pytest

from tchannel_hyperbahn.host_list import HostListFile, check_hosts, parse_hosts


def test_a_host_list_is_a_json_array_of_addresses():
    assert parse_hosts('["127.0.0.1:21300", "10.0.0.1:21301"]', "hosts.json") == [
        "127.0.0.1:21300",
        "10.0.0.1:21301",
    ]


def test_an_address_that_stands_twice_counts_once():
    assert check_hosts(["a:1", "b:1", "a:1"], "routers") == ["a:1", "b:1"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is no JSON"),
        ("[1", "is no JSON"),
        ("{}", "must hold a JSON array of 'host:port', not {}"),
        ('"127.0.0.1:1"', "must hold a JSON array"),
        ("[]", "must not be empty"),
        ("[1]", "holds 1"),
        ('["nowhere"]', "'nowhere' has no port"),
        ('["127.0.0.1:0"]', "nobody listens on port 0"),
    ],
)
def test_a_bad_file_is_refused_by_name(text, complaint):
    with pytest.raises(ValueError) as caught:
        parse_hosts(text, "/etc/hosts.json")

    assert str(caught.value).startswith("/etc/hosts.json")
    assert complaint in str(caught.value)


@pytest.mark.parametrize("hosts", ["127.0.0.1:1", b"127.0.0.1:1", 5, [None]])
def test_what_is_no_list_of_str_is_a_type_error(hosts):
    with pytest.raises(TypeError, match="routers must be a list of 'host:port'"):
        check_hosts(hosts, "routers")


def test_a_file_is_read_again_only_after_a_change(tmp_path):
    path = tmp_path / "hosts.json"
    path.write_text('["a:1"]')
    file = HostListFile(path)

    assert file.read() == ["a:1"]
    assert file.read_if_changed() is None
    path.write_text('["a:1", "b:2"]')
    assert file.read_if_changed() == ["a:1", "b:2"]
    assert file.read_if_changed() is None


def test_a_file_replaced_by_one_of_the_same_age_and_size_is_a_change(tmp_path):
    path, other = tmp_path / "hosts.json", tmp_path / "other.json"
    path.write_text('["a:1"]')
    other.write_text('["b:1"]')
    stamp = path.stat().st_mtime_ns
    os.utime(other, ns=(stamp, stamp))
    file = HostListFile(path)
    file.read()

    other.replace(path)

    assert file.read_if_changed() == ["b:1"]


def test_a_file_with_a_mistake_is_looked_at_until_it_is_mended(tmp_path):
    path = tmp_path / "hosts.json"
    path.write_text("nonsense")
    file = HostListFile(path)

    for _ in range(2):
        with pytest.raises(ValueError, match="no JSON"):
            file.read_if_changed()


def test_a_missing_file_is_an_os_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"hosts\.json"):
        HostListFile(tmp_path / "hosts.json").read()


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path):
    path = tmp_path / "hosts.json"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ValueError, match=r"hosts\.json is not UTF-8"):
        HostListFile(path).read()


def test_a_file_that_is_nested_too_deeply_is_refused_by_name(tmp_path):
    path = tmp_path / "hosts.json"
    path.write_text("[" * 100_000)

    with pytest.raises(ValueError, match=r"hosts\.json is no JSON array .*: nested too deeply"):
        HostListFile(path).read()
