"""tcurl, the command-line client of TChannel."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thirdparty.install import TCURL
from thirdparty.process import run_command


@dataclass(frozen=True, slots=True)
class TcurlResult:
    """What tcurl printed: its exit code, the decoded JSON of its output, and its standard error."""

    code: int
    output: Any
    errors: str


def tcurl(
    to: str,
    service: str,
    endpoint: str = "",
    *,
    head: str | None = None,
    body: str | None = None,
    raw: bool = False,
    idl: Path | None = None,
    health: bool = False,
    timeout: float = 5.0,
) -> TcurlResult:
    """Run tcurl once and wait for it.

    Args:
        to: Address to call, ``"127.0.0.1:PORT"`` (it replaces "localhost" by another address).
        service: Name of the service.
        endpoint: Name of the endpoint; not needed with ``health``.
        head: arg2 as text; with ``raw`` tcurl does not send it.
        body: arg3 as text: JSON for JSON and Thrift.
        raw: Use the raw scheme; otherwise JSON, or Thrift when ``idl`` is given.
        idl: Thrift file.
        health: Ask ``Meta::health`` instead of an endpoint.
        timeout: Seconds that the call may take.

    """
    argv: list[str | Path] = ["node", TCURL, "-p", to, service]
    argv += ["--health"] if health else [endpoint]
    argv += ["--timeout", str(round(timeout * 1000))]
    argv += ["--raw"] if raw else []
    argv += ["-t", idl] if idl is not None else []
    argv += ["-2", head] if head is not None else []
    argv += ["-3", body] if body is not None else []
    done = run_command(argv, seconds=timeout + 20.0)
    try:
        output = json.loads(done.stdout)
    except ValueError:
        output = done.stdout
    return TcurlResult(done.returncode, output, done.stderr)


async def tcurl_async(*args: Any, **kwargs: Any) -> TcurlResult:
    """Like `tcurl`, in a coroutine: the loop goes on, so that it can serve this very call."""
    return await asyncio.to_thread(tcurl, *args, **kwargs)
