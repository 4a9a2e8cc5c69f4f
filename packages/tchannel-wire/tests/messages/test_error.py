"""The error message, and texts that are cut to fit."""

import pytest

from tchannel_wire import ErrorMessage, cut_description, decode, encode


def test_error_code_that_we_do_not_know_is_kept():
    assert decode(encode(ErrorMessage(id=1, code=0x42))).code == 0x42


@pytest.mark.parametrize("character", ["x", "é", "€", "😀"])
def test_error_description_is_cut_to_65491_bytes_on_a_character(character):
    for shift in range(4):
        text = "a" * shift + character * 65491
        cut = cut_description(text)

        assert 65491 - 3 <= len(cut) <= 65491
        assert text.startswith(cut.decode())
    assert len(encode(ErrorMessage(id=1, code=5, description="x" * 70000))) == 65535


def test_text_at_the_limit_is_not_cut():
    assert cut_description("x" * 65491) == b"x" * 65491
    assert cut_description("\ud800") == b"?"
