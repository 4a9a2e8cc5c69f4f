"""A stand-in for Cadence's frontend: enough of it, in memory, for a worker's life.

It is for trying a worker without a cluster, and for tests. It keeps the conventions that a worker
meets: polls wait for 60 s and are then answered without a task, polls with too little time left are
refused, tokens are opaque, every step is in the history.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

from tchannel.clock import Clock, sleep
from tchannel_yarpc import Request, Yarpc

LONG_POLL = 60.0
"""Seconds after which a poll is answered without a task."""

LEAST_TIME = 2.0
"""Seconds that a poll must have left."""


@dataclass
class Execution:
    """One run of a workflow."""

    domain: str
    workflow_id: str
    run_id: str
    type: str
    task_list: str
    events: list[Any] = field(default_factory=list)
    deciding: bool = False
    """Whether a decision task is waiting or with a worker."""
    more: bool = False
    """Whether something happened since that task was given out."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)


class Frontend:
    """The methods of WorkflowService that `cadence.thrift` has; registered as an object.

    Args:
        idl: The IDL, as loaded by `tchannel.thrift.load`.
        clock: Time for long polls; that of the channel.

    """

    def __init__(self, idl: Any, clock: Clock) -> None:
        self._api = idl.WorkflowService
        self._types = idl.shared
        self._clock = clock
        self._domains: set[str] = set()
        self._executions: dict[tuple[str, str], Execution] = {}
        self._queues: dict[tuple[str, str, str], asyncio.Queue[bytes]] = {}
        self._tasks: dict[bytes, tuple[Execution, int]] = {}
        self._numbers = itertools.count(1)
        self.polls = 0
        """Polls that wait now."""

    def register(self, yarpc: Yarpc) -> None:
        """Serve the calls of a channel."""
        yarpc.thrift.register(self._api, self)

    # -- domains and executions --------------------------------------------------------------------

    def RegisterDomain(self, request: Request) -> None:
        name = request.body.registerRequest.name
        if name in self._domains:
            raise self._types.DomainAlreadyExistsError(f"Domain {name} already exists.")
        self._domains.add(name)

    def StartWorkflowExecution(self, request: Request) -> Any:
        asked = request.body.startRequest
        self._check_domain(asked.domain)
        key = asked.domain, asked.workflowId
        known = self._executions.get(key)
        if known is not None and not known.closed.is_set():
            raise self._types.WorkflowExecutionAlreadyStartedError(
                message="Workflow execution is already running.", runId=known.run_id
            )
        execution = self._executions[key] = Execution(
            asked.domain,
            asked.workflowId,
            f"run-{next(self._numbers)}",
            asked.workflowType.name,
            asked.taskList.name,
        )
        self._record(
            execution,
            "WorkflowExecutionStarted",
            workflowType=asked.workflowType,
            taskList=asked.taskList,
            input=asked.input,
        )
        self._decide(execution)
        return self._types.StartWorkflowExecutionResponse(runId=execution.run_id)

    def SignalWorkflowExecution(self, request: Request) -> None:
        asked = request.body.signalRequest
        execution = self._find(asked.domain, asked.workflowExecution)
        if execution.closed.is_set():
            raise self._types.WorkflowExecutionAlreadyCompletedError("Workflow has completed.")
        self._record(
            execution,
            "WorkflowExecutionSignaled",
            signalName=asked.signalName,
            input=asked.input,
            identity=asked.identity,
        )
        self._decide(execution)

    async def GetWorkflowExecutionHistory(self, request: Request) -> Any:
        asked = request.body.getRequest
        execution = self._find(asked.domain, asked.execution)
        if asked.waitForNewEvent:
            await self._wait(asyncio.ensure_future(execution.closed.wait()))
        events = execution.events
        if asked.HistoryEventFilterType == self._types.HistoryEventFilterType.CLOSE_EVENT:
            events = events[-1:] if execution.closed.is_set() else []
        return self._types.GetWorkflowExecutionHistoryResponse(
            history=self._types.History(events=events)
        )

    # -- tasks -------------------------------------------------------------------------------------

    async def PollForDecisionTask(self, request: Request) -> Any:
        token = await self._poll("decision", request, request.body.pollRequest)
        if token is None:
            return self._types.PollForDecisionTaskResponse()
        execution, _ = self._tasks[token]
        execution.more = False
        self._record(execution, "DecisionTaskStarted")
        return self._types.PollForDecisionTaskResponse(
            taskToken=token,
            workflowExecution=self._name(execution),
            workflowType=self._types.WorkflowType(name=execution.type),
            previousStartedEventId=0,
            startedEventId=len(execution.events),
            history=self._types.History(events=execution.events),
        )

    def RespondDecisionTaskCompleted(self, request: Request) -> Any:
        asked = request.body.completeRequest
        execution, _ = self._take(asked.taskToken)
        self._record(execution, "DecisionTaskCompleted")
        execution.deciding = False
        for decision in asked.decisions:
            self._follow(execution, decision)
        if execution.more:
            self._decide(execution)
        return self._types.RespondDecisionTaskCompletedResponse()

    async def PollForActivityTask(self, request: Request) -> Any:
        token = await self._poll("activity", request, request.body.pollRequest)
        if token is None:
            return self._types.PollForActivityTaskResponse()
        execution, scheduled = self._tasks[token]
        self._record(execution, "ActivityTaskStarted")
        attributes = execution.events[scheduled - 1].activityTaskScheduledEventAttributes
        return self._types.PollForActivityTaskResponse(
            taskToken=token,
            workflowExecution=self._name(execution),
            activityId=attributes.activityId,
            activityType=attributes.activityType,
            input=attributes.input,
        )

    def RespondActivityTaskCompleted(self, request: Request) -> None:
        asked = request.body.completeRequest
        execution, scheduled = self._take(asked.taskToken)
        self._record(
            execution,
            "ActivityTaskCompleted",
            result=asked.result,
            scheduledEventId=scheduled,
            identity=asked.identity,
        )
        self._decide(execution)

    def RespondActivityTaskFailed(self, request: Request) -> None:
        asked = request.body.failRequest
        execution, scheduled = self._take(asked.taskToken)
        self._record(
            execution,
            "ActivityTaskFailed",
            reason=asked.reason,
            details=asked.details,
            scheduledEventId=scheduled,
            identity=asked.identity,
        )
        self._decide(execution)

    # -- inside ------------------------------------------------------------------------------------

    def _check_domain(self, name: str) -> None:
        if name not in self._domains:
            raise self._types.EntityNotExistsError(f"Domain {name} does not exist.")

    def _find(self, domain: str, execution: Any) -> Execution:
        found = self._executions.get((domain, execution.workflowId))
        if found is None or execution.runId not in {None, "", found.run_id}:
            raise self._types.EntityNotExistsError("Workflow execution not found.")
        return found

    def _name(self, execution: Execution) -> Any:
        return self._types.WorkflowExecution(
            workflowId=execution.workflow_id, runId=execution.run_id
        )

    def _record(self, execution: Execution, kind: str, **attributes: Any) -> int:
        """Write an event into the history; returns its id."""
        event = self._types.HistoryEvent(
            eventId=len(execution.events) + 1,
            timestamp=int(self._clock.time() * 1e9),
            eventType=getattr(self._types.EventType, kind),
        )
        name = f"{kind}EventAttributes"
        if attributes:
            made = getattr(self._types, name)(**attributes)
            setattr(event, name[0].lower() + name[1:], made)
        execution.events.append(event)
        return len(execution.events)

    def _queue(self, kind: str, domain: str, task_list: str) -> asyncio.Queue[bytes]:
        return self._queues.setdefault((kind, domain, task_list), asyncio.Queue())

    def _give(self, kind: str, execution: Execution, scheduled: int) -> None:
        token = f"{kind}-{next(self._numbers)}".encode()
        self._tasks[token] = execution, scheduled
        self._queue(kind, execution.domain, execution.task_list).put_nowait(token)

    def _take(self, token: bytes) -> tuple[Execution, int]:
        found = self._tasks.pop(token, None)
        if found is None:
            raise self._types.EntityNotExistsError("Task not found.")
        if found[0].closed.is_set():
            raise self._types.WorkflowExecutionAlreadyCompletedError("Workflow has completed.")
        return found

    def _decide(self, execution: Execution) -> None:
        """Let a worker look at the history: one at a time, and again if more has happened."""
        execution.more = True
        if not execution.deciding and not execution.closed.is_set():
            execution.deciding = True
            scheduled = self._record(execution, "DecisionTaskScheduled")
            self._give("decision", execution, scheduled)

    def _follow(self, execution: Execution, decision: Any) -> None:
        types = self._types.DecisionType
        if decision.decisionType == types.ScheduleActivityTask:
            asked = decision.scheduleActivityTaskDecisionAttributes
            scheduled = self._record(
                execution,
                "ActivityTaskScheduled",
                activityId=asked.activityId,
                activityType=asked.activityType,
                input=asked.input,
            )
            self._give("activity", execution, scheduled)
        elif decision.decisionType == types.CompleteWorkflowExecution:
            result = decision.completeWorkflowExecutionDecisionAttributes.result
            self._record(execution, "WorkflowExecutionCompleted", result=result)
            execution.closed.set()
        elif decision.decisionType == types.FailWorkflowExecution:
            failure = decision.failWorkflowExecutionDecisionAttributes
            self._record(
                execution,
                "WorkflowExecutionFailed",
                reason=failure.reason,
                details=failure.details,
            )
            execution.closed.set()
        else:
            raise self._types.BadRequestError(f"Unknown decision type {decision.decisionType}.")

    async def _poll(self, kind: str, request: Request, asked: Any) -> bytes | None:
        self._check_domain(asked.domain)
        if (request.timeout or 0) < LEAST_TIME:
            raise self._types.BadRequestError("Context timeout is too short.")
        queue = self._queue(kind, asked.domain, asked.taskList.name)
        self.polls += 1
        try:
            token: bytes | None = await self._wait(asyncio.ensure_future(queue.get()))
        finally:
            self.polls -= 1
        return token

    async def _wait(self, waiting: asyncio.Task[Any]) -> Any:
        """Wait for something as long as a poll may take; None when it does not come."""
        timer = sleep(self._clock, LONG_POLL)
        try:
            await asyncio.wait({waiting, timer}, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            waiting.cancel()
            timer.cancel()
