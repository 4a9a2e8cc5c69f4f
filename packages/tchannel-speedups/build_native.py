"""Compiles the extension when a wheel is built, with what setuptools knows of compilers.

hatchling makes the sdist and the wheel, as of the sibling distributions: both come out the same byte
for byte from the same commit.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension

PACKAGE = "tchannel_speedups"


def flags() -> list[str]:
    """What the compiler is told besides what Python itself was compiled with."""
    if sys.platform == "win32":
        return ["/std:c11", "/W3"]
    # Without debug information, which names folders of the machine: two builds give the same bytes.
    return ["-std=c11", "-O2", "-g0", "-Wall", "-Wextra", "-fvisibility=hidden"]


def extension() -> Extension:
    """The one extension; all of its C files, in an order that is always the same."""
    native = Path("src", PACKAGE, "native")
    return Extension(
        f"{PACKAGE}._native",
        sources=[path.as_posix() for path in sorted(native.rglob("*.c"))],
        depends=[path.as_posix() for path in sorted(native.rglob("*.h"))],
        include_dirs=[native.as_posix()],
        extra_compile_args=flags(),
    )


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts the compiled module into the wheel, and the tag of this Python and machine on it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; called before the wheel's files are gathered."""
        del version
        self._folder = tempfile.TemporaryDirectory()
        command = Distribution({"ext_modules": [extension()]}).get_command_obj("build_ext")
        command.build_lib = command.build_temp = self._folder.name
        command.ensure_finalized()
        command.run()
        (compiled,) = (Path(one) for one in command.get_outputs())
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"][str(compiled)] = f"{PACKAGE}/{compiled.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled: it is in the wheel."""
        del version, build_data, artifact_path
        self._folder.cleanup()
