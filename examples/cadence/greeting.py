"""A workflow for the demo: it has a greeting composed, waits for a signal, and adds what that says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def greeting_of(types: Any, task_list: str) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return the workflow: a function of the whole history that gives the next decisions.

    Args:
        types: The module ``shared`` of Cadence's IDL.
        task_list: Where its activity is to be done.

    """
    events = types.EventType

    def greeting(history: Sequence[Any]) -> Sequence[Any]:
        happened = {event.eventType: event for event in history}
        if events.ActivityTaskScheduled not in happened:
            started = happened[events.WorkflowExecutionStarted]
            return [
                types.Decision(
                    decisionType=types.DecisionType.ScheduleActivityTask,
                    scheduleActivityTaskDecisionAttributes=types.ScheduleActivityTaskDecisionAttributes(
                        activityId="1",
                        activityType=types.ActivityType(name="compose"),
                        taskList=types.TaskList(name=task_list),
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
                types.Decision(
                    decisionType=types.DecisionType.FailWorkflowExecution,
                    failWorkflowExecutionDecisionAttributes=types.FailWorkflowExecutionDecisionAttributes(
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
            types.Decision(
                decisionType=types.DecisionType.CompleteWorkflowExecution,
                completeWorkflowExecutionDecisionAttributes=types.CompleteWorkflowExecutionDecisionAttributes(
                    result=result
                ),
            )
        ]

    return greeting


async def compose(name: bytes) -> bytes:
    """Compose a greeting: the activity."""
    return b"Hello, " + name
