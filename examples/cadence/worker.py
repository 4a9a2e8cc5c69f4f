"""A worker for Cadence: it asks for tasks by long polls, and answers them.

worker = Worker(yarpc, CADENCE, "my-domain", "my-tasks", workflows={...}, activities={...})
running = asyncio.create_task(worker.run())
...
await worker.drain()
await running
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tchannel_yarpc import (
    DeadlineExceededError,
    ResourceExhaustedError,
    UnavailableError,
    Yarpc,
    YarpcError,
)

log = logging.getLogger("cadence.worker")

SERVICE = "cadence-frontend"

HEADERS = {
    "cadence-client-library-version": "0.1.0",
    "cadence-client-name": "python-tchannel",
    # Not "cadence-client-feature-version": without it the frontend checks no version.
    "cadence-caller-type": "sdk",
}
"""What clients of Cadence say of themselves with each call."""

# Cadence answers a poll without a task after 60 s; like its Go client we wait for 150 s.
POLL_TIMEOUT = 150.0
CALL_TIMEOUT = 10.0
BACK_OFF = (0.1, 10.0)
"""Seconds to wait before another poll after one that failed: at first, and at most."""

# The whole history so far, oldest first; gives the next decisions.
Workflow = Callable[[Sequence[Any]], Sequence[Any]]
Activity = Callable[[bytes], Awaitable[bytes]]


class Worker:
    """Serves the task list of a domain until it is drained.

    Args:
        yarpc: Makes the calls.
        idl: Cadence's IDL, or the part of it beside this file, as loaded by `tchannel.thrift.load`.
        domain: The domain.
        task_list: The task list.
        workflows: By type: a function of the history that gives the next decisions.
        activities: By type: a coroutine function of the input that gives the result.
        pollers: Polls of each kind at a time, and so also tasks at a time.
        poll_timeout: Seconds for a poll; above the 60 s after which Cadence answers without a task.

    """

    def __init__(
        self,
        yarpc: Yarpc,
        idl: Any,
        domain: str,
        task_list: str,
        workflows: Mapping[str, Workflow],
        activities: Mapping[str, Activity],
        *,
        pollers: int = 2,
        poll_timeout: float = POLL_TIMEOUT,
    ) -> None:
        self.identity = f"{os.getpid()}@{socket.gethostname()}@{task_list}"
        self._yarpc = yarpc
        self._types = idl.shared
        self._api = idl.WorkflowService
        self._domain = domain
        self._task_list = idl.shared.TaskList(name=task_list)
        self._workflows = workflows
        self._activities = activities
        self._pollers = pollers
        self._poll_timeout = poll_timeout
        self._draining = asyncio.Event()

    async def run(self) -> None:
        """Poll and work until `drain`, or until Cadence says that what we ask is wrong."""
        types, api = self._types, self._api
        asked = {"domain": self._domain, "taskList": self._task_list, "identity": self.identity}
        decisions = api.PollForDecisionTask(types.PollForDecisionTaskRequest(**asked))
        activities = api.PollForActivityTask(types.PollForActivityTaskRequest(**asked))
        async with asyncio.TaskGroup() as group:
            for _ in range(self._pollers):
                group.create_task(self._serve(decisions, self._decide))
                group.create_task(self._serve(activities, self._act))

    async def drain(self) -> None:
        """Ask for nothing more; `run` returns once the tasks in hand are answered.

        Polls in flight are cancelled, and Cadence is told: a task that it had for one of them goes
        to another worker, at once, or after that task's timeout where it does not heed the word.
        """
        self._draining.set()

    # -- polling ---------------------------------------------------------------------------------

    async def _serve(self, poll: Any, work: Callable[[Any], Awaitable[None]]) -> None:
        """Poll, work, and poll again."""
        wait = BACK_OFF[0]
        while not self._draining.is_set():
            call = self._yarpc.thrift(poll, HEADERS, timeout=self._poll_timeout)
            try:
                if not await self._ends_before_draining(call):
                    return
                task = call.result().body
            except (
                DeadlineExceededError,
                UnavailableError,
                ResourceExhaustedError,
                self._types.ServiceBusyError,
            ) as error:
                log.warning("%s of %s: %s", poll.endpoint, self.identity, error)
                pause = asyncio.ensure_future(asyncio.sleep(random.random() * wait))
                await self._ends_before_draining(pause)
                wait = min(2 * wait, BACK_OFF[1])
                continue
            wait = BACK_OFF[0]
            # Without a token there was nothing to do for as long as a poll may take.
            if task.taskToken:
                await work(task)

    async def _ends_before_draining(self, waiting: asyncio.Future[Any]) -> bool:
        """Wait for something; once we are draining, give it up unless it has ended."""
        stop = asyncio.ensure_future(self._draining.wait())
        try:
            await asyncio.wait({waiting, stop}, return_when=asyncio.FIRST_COMPLETED)
            # A task that has come is done even now: nobody else will get it.
            return waiting.done()
        finally:
            waiting.cancel()
            stop.cancel()

    # -- working ---------------------------------------------------------------------------------

    async def _decide(self, task: Any) -> None:
        events = await self._history(task)
        decisions = self._workflows[task.workflowType.name](events)
        request = self._types.RespondDecisionTaskCompletedRequest(
            taskToken=task.taskToken, decisions=list(decisions), identity=self.identity
        )
        await self._answer(self._api.RespondDecisionTaskCompleted(request))

    async def _history(self, task: Any) -> list[Any]:
        events = list(task.history.events)
        token = task.nextPageToken
        while token:
            request = self._types.GetWorkflowExecutionHistoryRequest(
                domain=self._domain, execution=task.workflowExecution, nextPageToken=token
            )
            call = self._yarpc.thrift(
                self._api.GetWorkflowExecutionHistory(request), HEADERS, timeout=CALL_TIMEOUT
            )
            page = (await call).body
            events += page.history.events
            token = page.nextPageToken
        return events

    async def _act(self, task: Any) -> None:
        try:
            result = await self._activities[task.activityType.name](task.input or b"")
        except Exception as error:
            log.exception("activity %s failed", task.activityType.name)
            request = self._api.RespondActivityTaskFailed(
                self._types.RespondActivityTaskFailedRequest(
                    taskToken=task.taskToken,
                    reason=type(error).__name__,
                    details=str(error).encode(),
                    identity=self.identity,
                )
            )
        else:
            request = self._api.RespondActivityTaskCompleted(
                self._types.RespondActivityTaskCompletedRequest(
                    taskToken=task.taskToken, result=result, identity=self.identity
                )
            )
        await self._answer(request)

    async def _answer(self, request: Any) -> None:
        """Answer a task; one that is no longer ours is no business of ours."""
        gone = (
            self._types.EntityNotExistsError,
            self._types.WorkflowExecutionAlreadyCompletedError,
        )
        try:
            await self._yarpc.thrift(request, HEADERS, timeout=CALL_TIMEOUT)
        except gone as error:
            log.warning("%s: %s", request.endpoint, error)
        except YarpcError as error:
            # Cadence gives the task to somebody again, after its timeout.
            log.warning("%s", error)
