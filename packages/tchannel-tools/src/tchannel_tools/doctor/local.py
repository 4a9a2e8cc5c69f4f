"""The checks of the installation: what is there, beside what, and whether it fits together."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from .._calling.native import native_parts, tell_parts
from .._terminal.failures import ExitCode
from .._terminal.output import print_document, print_note
from .findings import Finding, Verdict, print_finding, summary

__all__ = ["LAYERS", "examine_installation", "installed", "tell"]

LAYERS: Final[Mapping[str, str]] = {
    "tchannel-wire": "frames and messages",
    "tchannel-core": "channel and calls",
    "tchannel-thrift": "Thrift",
    "tchannel-hyperbahn": "routers",
    "tchannel-testing": "testing",
    "tchannel-observe": "traces and metrics",
    "tchannel-yarpc": "YARPC",
    "tchannel-tools": "this command",
}
"""The distributions, and what each is for."""

_ORIGINAL: Final = ("tchannel", "tchannel-python")
_LAST_WITHOUT_C: Final = "thriftrw 1.9.0, the last release, cannot be built on Python 3.12 or newer"


_MEND: Final = "pip uninstall tchannel tchannel-core, then pip install tchannel-core"


def tell(*, as_json: bool) -> int:
    """Look at this very installation, and print what was found; returns the exit code."""
    findings = list(examine_installation(installed()))
    if as_json:
        print_document([one.document() for one in findings])
    else:
        for finding in findings:
            print_finding(finding)
        print_note("tchannel doctor", summary(findings))
    wrong = any(one.verdict is Verdict.WRONG for one in findings)
    return ExitCode.NOT_HEALTHY if wrong else ExitCode.OK


def installed() -> dict[str, metadata.Distribution]:
    """Return what is installed, by normalized name."""
    found: dict[str, metadata.Distribution] = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name:  # a folder left behind by an uninstallation has none
            found.setdefault(_normal(name), one)
    return found


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def examine_installation(
    found: Mapping[str, metadata.Distribution],
    version: tuple[int, int] = sys.version_info[:2],
    has_module: Callable[[str], bool] = lambda name: find_spec(name) is not None,
) -> Iterator[Finding]:
    """Look at an installation.

    Args:
        found: What is installed, by normalized name.
        version: Of the Python.
        has_module: Says whether a module can be imported.

    """
    yield _python(version)
    yield from _layers(found)
    yield _original(found)
    yield _bounds(found)
    if "thriftrw" in found and version >= (3, 12):
        yield Finding("thriftrw", Verdict.NOTE, _LAST_WITHOUT_C, "use tchannel_thrift.rw instead")
    yield _loop(found, has_module)
    yield _checksum(has_module)
    yield _speedups(found)


def _python(version: tuple[int, int]) -> Finding:
    shown = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
    if version < (3, 11):
        return Finding("Python", Verdict.WRONG, shown, "3.11 or newer is needed")
    return Finding("Python", Verdict.OK, shown)


def _layers(found: Mapping[str, metadata.Distribution]) -> Iterator[Finding]:
    there = [f"{name[9:]} {found[name].version}" for name in LAYERS if name in found]
    yield Finding("layers", Verdict.OK, ", ".join(there) or "none")
    for name in ("tchannel-wire", "tchannel-core"):
        if name not in found:
            yield Finding(
                "layers", Verdict.WRONG, f"{name} is not installed", f"pip install {name}"
            )
    missing = [
        f"{name} ({use})"
        for name, use in LAYERS.items()
        if name not in found and name[9:] != "core"
    ]
    if missing:
        yield Finding(
            "layers",
            Verdict.NOTE,
            f"not installed: {', '.join(missing)}",
            "pip install those that are needed; none of them need be",
        )


def _original(found: Mapping[str, metadata.Distribution]) -> Finding:
    for name in _ORIGINAL:
        if name in found:
            beside = "beside" if "tchannel-core" in found else "instead of"
            return Finding(
                "original",
                Verdict.WRONG,
                f"Uber's {name} {found[name].version} is installed {beside} tchannel-core; both are "
                "imported as tchannel, and their files lie in one folder",
                f"{_MEND}; `tchannel migrate` shows what code has to change",
            )
    try:
        import tchannel
    except ImportError as error:
        # It says itself what became of its files.
        return Finding("original", Verdict.WRONG, f"tchannel cannot be imported: {error}", _MEND)
    home = getattr(tchannel, "__file__", None) or "a folder without __init__.py"
    return Finding("original", Verdict.OK, f"not installed; tchannel is {home}")


def _bounds(found: Mapping[str, metadata.Distribution]) -> Finding:
    """Whether what is installed is what the distributions ask for."""
    bad: list[str] = []
    needed: list[str] = []
    for name in LAYERS:
        for text in (found[name].requires or []) if name in found else []:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
                continue
            other = found.get(_normal(requirement.name))
            wanted = f"{requirement.name}{requirement.specifier}"
            if other is None:
                bad.append(f"{name} needs {wanted}, which is not installed")
            elif not requirement.specifier.contains(other.version, prereleases=True):
                bad.append(f"{name} needs {wanted}, and {other.version} is installed")
            else:
                continue
            needed.append(f"'{wanted}'")
    if bad:
        wanted = " ".join(dict.fromkeys(needed))
        return Finding("versions", Verdict.WRONG, "; ".join(bad), f"pip install {wanted}")
    return Finding("versions", Verdict.OK, "fit together")


def _loop(found: Mapping[str, metadata.Distribution], has_module: Callable[[str], bool]) -> Finding:
    if has_module("uvloop"):
        version = found["uvloop"].version if "uvloop" in found else "?"
        return Finding("uvloop", Verdict.OK, version)
    return Finding(
        "uvloop",
        Verdict.NOTE,
        "not installed: asyncio's own loop is used, which is slower",
        "pip install 'tchannel-core[speed]', and uvloop.run(main())",
    )


def _checksum(has_module: Callable[[str], bool]) -> Finding:
    for name in ("google_crc32c", "crc32c"):
        if has_module(name):
            return Finding("CRC-32C", Verdict.OK, f"by {name}")
    return Finding(
        "CRC-32C",
        Verdict.NOTE,
        "computed in Python, which takes a thousand times as long",
        "pip install google-crc32c",
    )


def _speedups(found: Mapping[str, metadata.Distribution]) -> Finding:
    # A part is known to run natively once it is imported.
    with suppress(ImportError):
        import tchannel_thrift.rw  # noqa: F401
    parts = native_parts()
    if not parts:
        text = "tchannel-speedups is not installed; nothing needs it"
        return Finding("speedups", Verdict.SKIPPED, text)
    name = "tchannel-speedups"
    text = f"{name} {found[name].version if name in found else ''}".rstrip()
    verdict = Verdict.OK if "native" in parts.values() else Verdict.NOTE
    return Finding("speedups", verdict, f"{text}: {tell_parts(parts)}")
