"""A worker's life, against a stand-in for Cadence's frontend in the same process, or a real one.

    python examples/cadence/demo.py                   with the stand-in
    python examples/cadence/demo.py 127.0.0.1:7933    with the frontend of a Cadence server

Each step is printed with the time it took. Exits with 1 when the result is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from tchannel import TChannel, thrift
from tchannel.clock import LoopClock
from tchannel_yarpc import Yarpc

sys.path.insert(0, str(Path(__file__).parent))

from frontend import Frontend
from greeting import compose, greeting_of
from worker import CALL_TIMEOUT, HEADERS, SERVICE, Worker

DOMAIN, TASK_LIST = "demo-domain", "greetings"


@contextlib.contextmanager
def step(text: str) -> Iterator[list[str]]:
    """Print a step with its time, and what it gave."""
    given: list[str] = []
    begun = time.perf_counter()
    yield given
    print(
        f"{text:<44}{(time.perf_counter() - begun) * 1000:8.1f} ms  {' '.join(given)}", flush=True
    )


@contextlib.asynccontextmanager
async def frontend(idl: Any) -> AsyncIterator[str]:
    """The address of a frontend: one that runs already, or the stand-in."""
    if len(sys.argv) > 1:
        yield sys.argv[1]
        return
    async with TChannel(SERVICE, hostport="127.0.0.1:0") as channel:
        Frontend(idl, LoopClock(asyncio.get_running_loop())).register(Yarpc(channel))
        channel.listen()
        yield channel.hostport


async def live(yarpc: Yarpc, idl: Any) -> bool:
    """Go through a worker's life; says whether the result is right."""
    api, types = idl.WorkflowService, idl.shared

    async def call(request: Any, timeout: float = CALL_TIMEOUT) -> Any:
        return (await yarpc.thrift(request, HEADERS, timeout=timeout)).body

    with step("register a domain") as given:
        request = types.RegisterDomainRequest(name=DOMAIN, workflowExecutionRetentionPeriodInDays=1)
        try:
            await call(api.RegisterDomain(request))
        except types.DomainAlreadyExistsError:
            given.append("(it is there)")

    worker = Worker(
        yarpc,
        idl,
        DOMAIN,
        TASK_LIST,
        workflows={"greeting": greeting_of(types, TASK_LIST)},
        activities={"compose": compose},
    )
    with step("let a worker poll: two polls of each kind"):
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(0.05)

    workflow = f"greeting-{uuid.uuid4()}"
    with step("start a workflow") as given:
        response = await call(
            api.StartWorkflowExecution(
                types.StartWorkflowExecutionRequest(
                    domain=DOMAIN,
                    workflowId=workflow,
                    workflowType=types.WorkflowType(name="greeting"),
                    taskList=types.TaskList(name=TASK_LIST),
                    input=b"world",
                    executionStartToCloseTimeoutSeconds=60,
                    taskStartToCloseTimeoutSeconds=10,
                    identity=worker.identity,
                    requestId=str(uuid.uuid4()),
                )
            )
        )
        given.append(f"run {response.runId}")
    execution = types.WorkflowExecution(workflowId=workflow, runId=response.runId)

    with step("start it again: a declared exception") as given:
        again = types.StartWorkflowExecutionRequest(
            domain=DOMAIN,
            workflowId=workflow,
            workflowType=types.WorkflowType(name="greeting"),
            taskList=types.TaskList(name=TASK_LIST),
            executionStartToCloseTimeoutSeconds=60,
            taskStartToCloseTimeoutSeconds=10,
            requestId=str(uuid.uuid4()),
        )
        try:
            await call(api.StartWorkflowExecution(again))
        except types.WorkflowExecutionAlreadyStartedError as error:
            given.append(type(error).__name__)

    with step("signal it"):
        await call(
            api.SignalWorkflowExecution(
                types.SignalWorkflowExecutionRequest(
                    domain=DOMAIN, workflowExecution=execution, signalName="end", input=b"!"
                )
            )
        )

    with step("wait for its result, by a long poll") as given:
        history = await call(
            api.GetWorkflowExecutionHistory(
                types.GetWorkflowExecutionHistoryRequest(
                    domain=DOMAIN,
                    execution=execution,
                    waitForNewEvent=True,
                    HistoryEventFilterType=types.HistoryEventFilterType.CLOSE_EVENT,
                )
            ),
            timeout=150,
        )
        last = history.history.events[-1]
        result = last.workflowExecutionCompletedEventAttributes.result
        given.append(result.decode())

    with step("look at its history") as given:
        whole = await call(
            api.GetWorkflowExecutionHistory(
                types.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, execution=execution)
            )
        )
        given.append(f"{len(whole.history.events)} events")

    with step("drain the worker, its polls in flight"):
        await worker.drain()
        await running
    return bool(result == b"Hello, world!")


async def main() -> int:
    """Run the demo; the exit code."""
    idl = thrift.load(Path(__file__).parent / "cadence.thrift", service=SERVICE)
    async with frontend(idl) as hostport, TChannel("demo", known_peers=[hostport]) as channel:
        right = await live(Yarpc(channel), idl)
    print("all is closed")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
