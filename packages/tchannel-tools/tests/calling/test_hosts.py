"""Addresses and host lists."""

import json

import pytest

from tchannel_tools._calling.hosts import check_peers, read_host_list
from tchannel_tools._terminal.failures import ToolError

HOSTS = ["127.0.0.1:21300", "[::1]:21301", "unix:/run/socket"]


def test_a_host_list_is_json_text_or_the_path_of_a_file(tmp_path):
    path = tmp_path / "hosts.json"
    path.write_text(json.dumps(HOSTS))

    assert read_host_list(json.dumps(HOSTS)) == HOSTS
    assert read_host_list(str(path)) == HOSTS


def test_a_host_that_is_given_twice_counts_once():
    assert check_peers(["a:1", "b:1", "a:1"], "-p") == ["a:1", "b:1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "holds 1, which is no 'host:port'"),
        ('["a"]', "'a' has no port"),
        ('["a:0"]', "nobody listens on port 0"),
        ("[]", "is empty"),
        ("[", "line 1, column 2"),
        ('{"user": "me"}', "application headers are given by --headers"),
        ("/nowhere/hosts.json", "cannot read the host list /nowhere/hosts.json: No such file"),
    ],
)
def test_what_is_no_host_list_is_refused(text, message):
    with pytest.raises(ToolError, match=message):
        read_host_list(text)


def test_a_url_is_no_address():
    for url in ("http://localhost:8888", "http://localhost:8888/endpoint", "tchannel://a"):
        with pytest.raises(ToolError, match=r"^-p: address '.*' is a URL: write 'host:port'"):
            check_peers([url], "-p")


def test_the_spelling_of_an_older_tool_is_answered_with_the_new_one():
    with pytest.raises(ToolError, match="write -p localhost:8888 SERVICE endpoint"):
        check_peers(["localhost:8888/endpoint"], "-p")
