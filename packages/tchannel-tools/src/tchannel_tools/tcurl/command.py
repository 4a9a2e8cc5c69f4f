"""The command as a whole."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import traceback
from collections.abc import Sequence

from .._calling.advice import explain
from .._calling.calls import Answer, Caller
from .._calling.connecting import make_channel
from .._calling.facts import tell_facts
from .._calling.health import HEALTH, read_health
from .._calling.load import OK, Load, Outcome, make_histogram
from .._calling.messages import SchemeCall, make_call
from .._calling.reflection import ask_interface
from .._idl.interface import Interface, find_file, load_file
from .._idl.listing import describe, list_services
from .._terminal.failures import CallFailed, ExitCode, ToolError, code_name, one_line
from .._terminal.output import print_bytes, print_details, print_document, print_note, print_text
from .arguments import TCURL, Arguments, parse

__all__ = ["execute", "main"]


def main(argv: Sequence[str] | None = None, command: str = TCURL) -> int:
    """Run tcurl.

    Args:
        argv: The arguments; by default those of the process.
        command: What the user calls this command; default ``tcurl``.

    Returns:
        The exit code.

    Raises:
        SystemExit: After ``--help`` and ``--version``.

    """
    given = sys.argv[1:] if argv is None else argv
    # What the library logs of failures, the user is told in one line anyway.
    logging.getLogger("tchannel").addHandler(
        logging.StreamHandler() if "--debug" in given else logging.NullHandler()
    )
    try:
        code = asyncio.run(execute(given, command))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Who reads the output has had enough; Python must not write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.TOOL


async def execute(argv: Sequence[str], command: str = TCURL) -> int:
    """Do what the command line says, and tell the user what is wrong with it.

    Args:
        argv: The arguments.
        command: What the user calls this command.

    Returns:
        The exit code.

    Raises:
        SystemExit: After ``--help`` and ``--version``.

    """
    try:
        return await run(parse(argv, command))
    except BrokenPipeError:
        raise
    except Exception as error:
        if "--debug" in argv:
            traceback.print_exc()
        told = isinstance(error, ToolError)
        hint = "" if told else "; --debug shows more"
        text = f"{error if told else f'unexpected {type(error).__name__}: {error}'}{hint}"
        print_note(command, text)
        return ExitCode.TOOL


async def run(arguments: Arguments) -> int:
    """Do what the arguments say.

    Returns:
        The exit code.

    Raises:
        ToolError: Something is wrong on this side.

    """
    if arguments.load is not None:
        # Before anything is sent: whether the extra is installed is no business of the service's.
        make_histogram()
    interface = None
    if arguments.thrift is not None:
        path = find_file(arguments.thrift, arguments.target.service)
        interface = load_file(path, strict=arguments.strict, include_dirs=arguments.include_dirs)
    if arguments.list or arguments.describe is not None:
        if interface is not None:
            return _show(arguments, interface)
    elif not arguments.health and (arguments.scheme != "thrift" or interface is not None):
        # Before connecting: a mistake in the body is no business of the service's.
        return await _with_channel(arguments, interface, _make_call(arguments, interface))
    return await _with_channel(arguments, interface, None)


async def _with_channel(
    arguments: Arguments, interface: Interface | None, call: SchemeCall | None
) -> int:
    channel = make_channel(arguments.target, arguments.tls)
    try:
        caller = Caller(channel, arguments.target)
        try:
            return await _perform(arguments, caller, interface, call)
        except CallFailed as failure:
            return _failed(failure, arguments, caller)
    finally:
        # Nothing is in flight any more that is worth waiting for.
        await channel.close(grace=0.1)


async def _perform(
    arguments: Arguments, caller: Caller, interface: Interface | None, call: SchemeCall | None
) -> int:
    if arguments.health:
        return await _health(arguments, caller)
    if call is None:
        interface = await ask_interface(caller, arguments.target.service, strict=arguments.strict)
        if arguments.list or arguments.describe is not None:
            return _show(arguments, interface)
        call = _make_call(arguments, interface)
    for warning in call.warnings:
        _note(arguments, warning)
    if arguments.load is not None:
        return await _load(arguments, caller, call)
    answer = await caller.call(call.message)
    _print_facts(arguments, caller, answer)
    result = call.read(answer)
    if result.document is None:
        print_bytes(result.raw)
    else:
        print_document(result.document)
    if result.note:
        _note(arguments, result.note)
    if result.losses:
        _note(arguments, f"--exact shows what is lost here: {', '.join(result.losses)}")
    if result.i64_as_bytes and sys.stdout.isatty():
        _note(arguments, "an i64 is shown as its eight bytes; --i64 number shows numbers")
    return ExitCode.OK if result.ok else ExitCode.APPLICATION


def _make_call(arguments: Arguments, interface: Interface | None) -> SchemeCall:
    return make_call(
        arguments.scheme,
        arguments.endpoint,
        arguments.headers,
        arguments.body,
        interface,
        arguments.form,
    )


def _show(arguments: Arguments, interface: Interface) -> int:
    if arguments.describe is not None:
        print_text(describe(interface, arguments.describe))
    else:
        print_text(list_services(interface))
    return ExitCode.OK


async def _health(arguments: Arguments, caller: Caller) -> int:
    if arguments.load is not None:
        return await _load(arguments, caller, None)
    answer = await caller.call(HEALTH)
    _print_facts(arguments, caller, answer)
    healthy, said = read_health(answer)
    print_text("OK" if healthy else "NOT OK")
    if said and not healthy:
        print_text(one_line(said))
    return ExitCode.OK if healthy else ExitCode.NOT_HEALTHY


def _failed(failure: CallFailed, arguments: Arguments, caller: Caller) -> int:
    if arguments.debug:
        traceback.print_exception(failure.error)
    _print_facts(arguments, caller, None)
    if failure.sent:
        if arguments.health:
            print_text("NOT OK")
        print_document(failure.document())
    peer = caller.facts.peer if caller.facts is not None else ""
    _note(arguments, explain(failure, arguments.target, peer, arguments.scheme))
    # As the Node tool has it: without an answer there is no verdict on the health.
    return ExitCode.TOOL if arguments.health else failure.exit_code


def _print_facts(arguments: Arguments, caller: Caller, answer: Answer | None) -> None:
    if arguments.verbose and caller.facts is not None:
        print_details(tell_facts(caller.facts, answer))


async def _load(arguments: Arguments, caller: Caller, call: SchemeCall | None) -> int:
    plan = arguments.load
    assert plan is not None, "only called with a plan"
    message = HEALTH if call is None else call.message

    async def once() -> Outcome:
        try:
            # Retries would hide failures, and count as one slow call.
            answer = await caller.call(message, retry_limit=0)
        except CallFailed as failure:
            if not caller.ever_sent:
                raise
            code = failure.error.code
            return Outcome(failure.exit_code, code_name(code))
        if call is None:
            healthy = read_health(answer)[0]
            return OK if healthy else Outcome(ExitCode.NOT_HEALTHY, "not healthy")
        return Outcome(ExitCode.APPLICATION, "application error") if answer.code else OK

    progress = _progress if sys.stderr.isatty() else None
    report = await Load(plan, once, caller.channel.clock, progress).run()
    if progress is not None:
        sys.stderr.write("\r\x1b[K")
    if plan.as_json:
        print_document(report.document())
    else:
        print_text(report.text())
    return report.exit_code


def _progress(line: str) -> None:
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()


def _note(arguments: Arguments, line: str) -> None:
    print_note(arguments.command, line)
