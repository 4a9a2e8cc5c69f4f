from __future__ import annotations

import pytest

from tchannel_thrift.rw.idl.tokens import KEYWORDS, doc_text, tokenize


def kinds(source, *, strict=True):
    return tokenize(source, strict=strict).kinds


def texts(source, *, strict=True):
    return tokenize(source, strict=strict).texts


def test_an_empty_document_has_the_end_as_its_only_token():
    tokens = tokenize("", strict=True)
    assert tokens == (["end"], [""], [0], {})


def test_the_kind_of_keywords_and_symbols_is_their_text():
    assert kinds("struct Foo {1:i32 a}") == [
        "struct", "identifier", "{", "integer", ":", "i32", "identifier", "}", "end",
    ]  # fmt: skip


@pytest.mark.parametrize("word", sorted(KEYWORDS))
def test_keywords_are_keywords_in_both_modes_and_only_as_whole_words(word):
    for strict in (True, False):
        assert kinds(word, strict=strict) == [word, "end"]
        assert kinds(f"{word}s _{word} {word.upper()} {word}.{word}", strict=strict) == [
            "identifier", "identifier", "identifier", "identifier", "end",
        ]  # fmt: skip


@pytest.mark.parametrize("word", ["async", "senum", "slist", "uuid", "cpp_type", "xsd_all"])
def test_words_that_only_apache_reserves_are_identifiers(word):
    assert kinds(word, strict=False) == ["identifier", "end"]


def test_starts_are_offsets_into_the_source():
    source = "  struct /* x */ Foo\n{ }"
    tokens = tokenize(source, strict=True)
    for text, start in zip(tokens.texts, tokens.starts, strict=True):
        assert source.startswith(text, start)
    assert tokens.starts[-1] == len(source)


@pytest.mark.parametrize(
    "space",
    [" ", "\t", "\r", "\n", "// x\n", "# x\n", "/* x */", "/**/", "/***/", "/*/ */", "/* * / **/",
     "/* // */", "// /*\n", "/*\n*\n*/"],
)  # fmt: skip
def test_white_space_and_comments_separate_tokens(space):
    assert texts(f"a{space}b") == ["a", "b", ""]


@pytest.mark.parametrize("comment", ["// x", "# x", "//", "#", "/* x */"])
def test_a_comment_may_end_the_document(comment):
    assert texts(f"a {comment}") == ["a", ""]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1", ["integer"]),
        ("-1", ["integer"]),
        ("+1", ["integer"]),
        ("007", ["integer"]),
        ("0x1F", ["hexadecimal"]),
        ("1.5", ["decimal"]),
        ("-1.5", ["decimal"]),
        ("1.", ["decimal"]),
        ("1.e5", ["decimal"]),
        ("1.5e5", ["decimal"]),
        ("1.5e-5", ["decimal"]),
        ("1-2", ["integer", "integer"]),
        ("1a", ["integer", "identifier"]),
    ],
)
def test_numbers_that_both_grammars_have(source, expected):
    for strict in (True, False):
        assert kinds(source, strict=strict) == [*expected, "end"]


@pytest.mark.parametrize(
    ("source", "strict", "lenient"),
    [
        ("1e5", ["integer", "identifier"], ["decimal"]),
        ("1E5", ["integer", "identifier"], ["decimal"]),
        ("1.5E5", ["decimal", "identifier"], ["decimal"]),
        ("1.5e+5", ["decimal", "identifier", "integer"], ["decimal"]),
        ("-0x1F", ["integer", "identifier"], ["hexadecimal"]),
        ("1.5.5", ["decimal", "invalid"], ["decimal", "decimal"]),
    ],
)
def test_numbers_that_only_apache_has(source, strict, lenient):
    assert [kind for kind in kinds(source) if kind != "end"] == strict
    assert kinds(source, strict=False) == [*lenient, "end"]


@pytest.mark.parametrize("source", [".5", "+1.5", "+.5", "-.5e1", "+0x1"])
def test_numbers_that_are_one_token_for_apache_and_not_one_for_thriftrw(source):
    assert kinds(source, strict=False)[-1] == "end"
    assert len(kinds(source, strict=False)) == 2
    assert kinds(source) not in (["decimal", "end"], ["hexadecimal", "end"])


@pytest.mark.parametrize(
    "source", ['"abc"', "'abc'", '""', "''", '"it\'s"', "'\"'", r'"\""', r"'\''", r'"\\"', r'"\q"']
)
def test_strings_are_one_token_with_quotes_and_escapes_as_written(source):
    tokens = tokenize(source, strict=True)
    assert tokens.kinds == ["quoted", "end"]
    assert tokens.texts[0] == source


@pytest.mark.parametrize("source", ['"abc', "'abc", '"abc\n"', '"abc\\\n"', "\"abc'", '"\\"'])
def test_a_string_must_end_on_its_line(source):
    assert kinds(source)[0] == "invalid"


@pytest.mark.parametrize(
    "char", ["$", "?", "@", "/", "\0", "\f", "\v", "\u00a0", "é", "-", ".", "`"]
)
def test_nothing_is_read_after_a_character_that_begins_no_token(char):
    assert kinds(f"a {char} b") == ["identifier", "invalid"]
    assert kinds(f"a {char} b", strict=False) == ["identifier", "invalid"]


def test_an_ampersand_is_a_symbol_for_apache_only():
    assert kinds("&", strict=False) == ["&", "end"]
    assert kinds("&") == ["invalid"]


def test_a_byte_order_mark_is_skipped_when_lenient_and_first():
    assert texts("\ufeffa", strict=False) == ["a", ""]
    assert kinds("\ufeffa") == ["invalid"]
    assert kinds("a\ufeff", strict=False) == ["identifier", "invalid"]


def test_a_doc_comment_belongs_to_the_token_behind_it():
    tokens = tokenize("/** A */ struct /** B */ Foo /* c */ { /** D */ }", strict=True)
    assert tokens.texts == ["struct", "Foo", "{", "}", ""]
    assert tokens.docs == {0: "/** A */", 1: "/** B */", 3: "/** D */"}


def test_the_last_of_several_doc_comments_counts():
    assert tokenize("/** A */ /** B */ struct", strict=True).docs == {0: "/** B */"}


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("/** One line. */", "One line."),
        ("/**One line.*/", "One line."),
        ("/**\n * First.\n *\n *   Indented.\n */", "First.\n\n  Indented."),
        ("/**\n   First.\n     Indented.\n*/", "First.\n  Indented."),
        ("/** First\n  * second\n  */", "First\nsecond"),
        ("/**\n * - a list\n * - of two\n */", "- a list\n- of two"),
        ("/**\n * item\n no star\n */", "* item\nno star"),
        ("/*** Stars. ***/", "Stars."),
        ("/** */", None),
        ("/***/", None),
        ("/**\n *\n */", None),
        ("/**\r\n * Windows.\r\n */", "Windows."),
    ],
)
def test_doc_text_is_without_stars_and_indentation(comment, text):
    assert doc_text(comment) == text
