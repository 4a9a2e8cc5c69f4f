"""What is to be known of a call beside its answer, as text."""

from __future__ import annotations

from typing import Any

from .calls import Answer, Facts
from .native import native_parts, tell_parts

__all__ = ["tell_facts"]


def tell_facts(facts: Facts, answer: Answer | None) -> list[str]:
    """Return lines that tell what is to be known of a call.

    Args:
        facts: Of the call.
        answer: What came back; None without an answer.

    """
    tracing = facts.tracing
    connected = "" if facts.connected is None else f"sent after {_ms(facts.connected)}, "
    ids = " ".join(
        f"{name}={value:016x}"
        for name, value in (
            ("trace", tracing.trace_id),
            ("span", tracing.span_id),
            ("parent", tracing.parent_id),
        )
    )
    lines = [
        f"peer: {facts.peer or 'none'}",
        f"request: {_headers(facts.headers)}, checksum={facts.checksum}",
        f"tracing: {ids} flags={tracing.flags}",
        f"attempts: {facts.attempts} ({max(facts.attempts - 1, 0)} retries)",
        f"timing: {connected}over after {_ms(facts.seconds)}",
        f"native: {tell_parts(native_parts())}",
    ]
    if answer is not None:
        lines.append(
            f"response: {_headers(answer.headers)}, code={answer.code},"
            f" {len(answer.arg2)} bytes of headers, {len(answer.arg3)} bytes of body"
        )
    return lines


def _headers(headers: Any) -> str:
    return ", ".join(f"{key}={value}" for key, value in headers.items())


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
