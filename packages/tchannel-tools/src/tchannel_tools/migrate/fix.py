"""Rewrites what can be rewritten without a doubt; needs libcst, the extra ``migrate``."""

from __future__ import annotations

from typing import Any

from .._terminal.failures import ToolError

__all__ = ["fix"]


def fix(text: str, path: str) -> str:
    """Return the text with the mechanical changes made: formatting and comments stay as they are.

    Imports of thriftrw become those of our engine, ``tracer=``, ``context_provider=`` and
    ``threadloop=`` of ``TChannel(...)`` go, and ``IOLoop.instance()`` becomes ``IOLoop.current()``.

    Raises:
        ToolError: libcst is not installed, or the file is no Python 3.

    """
    try:
        import libcst
    except ImportError:
        raise ToolError("--fix needs libcst: pip install 'tchannel-tools[migrate]'") from None
    try:
        module = libcst.parse_module(text)
    except libcst.ParserSyntaxError as error:
        raise ToolError(f"{path} is no Python 3, at line {error.raw_line}") from None
    return str(module.visit(_transformer(libcst)).code)


# libcst is there only where the extra is.
def _transformer(cst: Any) -> Any:
    gone = {"tracer", "context_provider", "threadloop"}

    def dotted(node: Any) -> str:
        if isinstance(node, cst.Name):
            return str(node.value)
        if isinstance(node, cst.Attribute):
            return f"{dotted(node.value)}.{node.attr.value}"
        return ""

    class Transformer(cst.CSTTransformer):  # type: ignore[misc]  # the base class is of Any
        def leave_Import(self, original: Any, updated: Any) -> Any:  # noqa: N802 - libcst's name
            names = updated.names
            if len(names) == 1 and dotted(names[0].name) == "thriftrw":
                alias = names[0].asname or cst.AsName(name=cst.Name("thriftrw"))
                return cst.ImportFrom(
                    module=cst.Name("tchannel_thrift"),
                    names=[cst.ImportAlias(name=cst.Name("rw"), asname=alias)],
                )
            return updated

        def leave_ImportFrom(self, original: Any, updated: Any) -> Any:  # noqa: N802 - libcst's name
            name = dotted(updated.module) if updated.module is not None else ""
            if not updated.relative and (name == "thriftrw" or name.startswith("thriftrw.")):
                new = cst.parse_expression(f"tchannel_thrift.rw{name.removeprefix('thriftrw')}")
                return updated.with_changes(module=new)
            return updated

        def leave_Call(self, original: Any, updated: Any) -> Any:  # noqa: N802 - libcst's name
            name = dotted(updated.func)
            if name.rpartition(".")[2] == "TChannel":
                kept = [
                    one
                    for one in updated.args
                    if one.keyword is None or one.keyword.value not in gone
                ]
                if len(kept) != len(updated.args):
                    if kept:
                        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
                    return updated.with_changes(args=kept)
            if name.endswith("IOLoop.instance") and not updated.args:
                return updated.with_changes(
                    func=updated.func.with_changes(attr=cst.Name("current"))
                )
            return updated

    return Transformer()
