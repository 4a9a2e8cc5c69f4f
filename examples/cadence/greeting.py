"""A workflow for the demo: it has a greeting composed, waits for a signal, and adds what that says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def greeting_of(idl: Any, task_list: str) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return the workflow: a function of the whole history that gives the next decisions."""
    events = idl.EventType

    def greeting(history: Sequence[Any]) -> Sequence[Any]:
        happened = {event.eventType: event for event in history}
        if events.ActivityTaskScheduled not in happened:
            started = happened[events.WorkflowExecutionStarted]
            return [
                idl.Decision(
                    decisionType=idl.DecisionType.ScheduleActivityTask,
                    scheduleActivityTaskDecisionAttributes=idl.ScheduleActivityTaskDecisionAttributes(
                        activityId="1",
                        activityType=idl.ActivityType(name="compose"),
                        taskList=idl.TaskList(name=task_list),
                        input=started.workflowExecutionStartedEventAttributes.input,
                        scheduleToCloseTimeoutSeconds=60,
                        scheduleToStartTimeoutSeconds=60,
                        startToCloseTimeoutSeconds=60,
                    ),
                )
            ]
        if events.ActivityTaskFailed in happened:
            failed = happened[events.ActivityTaskFailed].activityTaskFailedEventAttributes
            return [
                idl.Decision(
                    decisionType=idl.DecisionType.FailWorkflowExecution,
                    failWorkflowExecutionDecisionAttributes=idl.FailWorkflowExecutionDecisionAttributes(
                        reason=failed.reason, details=failed.details
                    ),
                )
            ]
        composed = happened.get(events.ActivityTaskCompleted)
        signal = happened.get(events.WorkflowExecutionSignaled)
        if composed is None or signal is None:
            return []
        result = composed.activityTaskCompletedEventAttributes.result
        result += signal.workflowExecutionSignaledEventAttributes.input
        return [
            idl.Decision(
                decisionType=idl.DecisionType.CompleteWorkflowExecution,
                completeWorkflowExecutionDecisionAttributes=idl.CompleteWorkflowExecutionDecisionAttributes(
                    result=result
                ),
            )
        ]

    return greeting


async def compose(name: bytes) -> bytes:
    """Compose a greeting: the activity."""
    return b"Hello, " + name
