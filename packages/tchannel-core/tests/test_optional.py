"""Hints for layers that are not installed."""

import pytest

from tchannel._ground.optional import import_layer, install_hint


def test_a_missing_layer_is_an_error_that_says_what_to_install() -> None:
    error = ModuleNotFoundError("No module named 'tchannel_thrift'", name="tchannel_thrift")
    hint = install_hint(error, needs="tchannel_thrift", dist="tchannel-thrift")
    assert isinstance(hint, ModuleNotFoundError)
    assert "pip install tchannel-thrift" in str(hint)
    assert hint.name == "tchannel_thrift"


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'tchannel_thrift.meta'", name="tchannel_thrift.meta"),
        ImportError("cannot import name 'client_for'", name="tchannel_thrift"),
    ],
)
def test_a_layer_that_is_too_old_is_to_be_upgraded(error: ImportError) -> None:
    hint = install_hint(error, needs="tchannel_thrift", dist="tchannel-thrift")
    assert "pip install --upgrade tchannel-thrift" in str(hint)
    assert str(error) in str(hint)


def test_a_failure_inside_a_layer_is_not_masked() -> None:
    for error in (
        ModuleNotFoundError("No module named 'yaml'", name="yaml"),
        ImportError("something else"),
    ):
        assert install_hint(error, needs="tchannel_testing", dist="tchannel-testing") is error


def test_a_layer_is_imported_on_its_first_use() -> None:
    import json

    assert import_layer("json", dist="standard library") is json
    with pytest.raises(ModuleNotFoundError, match="pip install tchannel-nowhere"):
        import_layer("tchannel_nowhere", dist="tchannel-nowhere")
    with pytest.raises(ModuleNotFoundError, match="pip install tchannel-nowhere"):
        import_layer("tchannel_nowhere.submodule", dist="tchannel-nowhere")
