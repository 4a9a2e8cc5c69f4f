"""A worker's life with Cadence: the example's worker against its stand-in for the frontend.

Time is that of a clock moved by hand, so that long polls of 60 s and more take no time.
"""

import asyncio
import sys
from pathlib import Path

import pytest

pytest.importorskip("tchannel_thrift", reason="the extra `thrift`")
pytest.importorskip("tchannel_testing", reason="the clock that is moved by hand")

from tchannel import TChannel, thrift
from tchannel_testing import ManualClock
from tchannel_yarpc import ApplicationError, Yarpc

EXAMPLE = Path(__file__).parents[3] / "examples" / "cadence"
if not EXAMPLE.is_dir():
    pytest.skip("the example is in the repository only", allow_module_level=True)

pytestmark = [pytest.mark.extra, pytest.mark.once]

DOMAIN, TASKS = "domain", "tasks"


@pytest.fixture(scope="module")
def example():
    """The modules of the example."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        import frontend
        import greeting
        import worker

        yield {"frontend": frontend, "greeting": greeting, "worker": worker}
    finally:
        sys.path.remove(str(EXAMPLE))
        for name in ("frontend", "greeting", "worker"):
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def idl():
    return thrift.load(EXAMPLE / "cadence.thrift", service="cadence-frontend")


@pytest.fixture
def clock():
    return ManualClock()


class Cadence:
    """The frontend, a worker's channel and a client's: one connection each."""

    def __init__(self, example, idl, clock):
        self.idl, self.api, self.types, self.clock = idl, idl.WorkflowService, idl.shared, clock
        self.example = example
        self.server = TChannel("cadence-frontend", hostport="127.0.0.1:0", clock=clock)
        self.frontend = example["frontend"].Frontend(idl, clock)
        self.frontend.register(Yarpc(self.server))
        self.server.listen()
        self.channel = TChannel("worker", known_peers=[self.server.hostport], clock=clock)
        self.yarpc = Yarpc(self.channel)
        self.seen = []
        self.server.interceptors.incoming.append(self.see)

    def see(self, call, proceed):
        self.seen.append((call.endpoint, dict(call.headers)))
        return proceed(call)

    def worker(self, **options):
        greeting = self.example["greeting"]
        return self.example["worker"].Worker(
            self.yarpc,
            self.idl,
            DOMAIN,
            TASKS,
            workflows={"greeting": greeting.greeting_of(self.types, TASKS)},
            activities={"compose": options.pop("compose", greeting.compose)},
            **options,
        )

    async def call(self, request, **options):
        return (await self.yarpc.thrift(request, self.example["worker"].HEADERS, **options)).body

    async def register(self):
        await self.call(self.api.RegisterDomain(self.types.RegisterDomainRequest(name=DOMAIN)))

    async def start(self, name="w", data=b"world"):
        request = self.types.StartWorkflowExecutionRequest(
            domain=DOMAIN,
            workflowId=name,
            workflowType=self.types.WorkflowType(name="greeting"),
            taskList=self.types.TaskList(name=TASKS),
            input=data,
        )
        response = await self.call(self.api.StartWorkflowExecution(request))
        return self.types.WorkflowExecution(workflowId=name, runId=response.runId)

    async def signal(self, execution):
        request = self.types.SignalWorkflowExecutionRequest(
            domain=DOMAIN, workflowExecution=execution, signalName="end", input=b"!"
        )
        await self.call(self.api.SignalWorkflowExecution(request))

    async def close_event(self, execution):
        request = self.types.GetWorkflowExecutionHistoryRequest(
            domain=DOMAIN,
            execution=execution,
            waitForNewEvent=True,
            HistoryEventFilterType=self.types.HistoryEventFilterType.CLOSE_EVENT,
        )
        history = await self.call(self.api.GetWorkflowExecutionHistory(request), timeout=150)
        return history.history.events

    async def polls(self, number):
        """Let the loop run until so many polls wait."""
        async with asyncio.timeout(20):
            while self.frontend.polls != number:
                await asyncio.sleep(0)

    def counted(self, function):
        return sum(endpoint == f"WorkflowService::{function}" for endpoint, _ in self.seen)


@pytest.fixture
async def cadence(example, idl, clock):
    made = Cadence(example, idl, clock)
    yield made
    closing = [made.channel.close(0), made.server.close(0)]
    await clock.elapse(1)
    await asyncio.gather(*closing)


async def test_a_workflow_goes_from_its_start_to_its_result(cadence):
    await cadence.register()
    worker = cadence.worker()
    running = asyncio.create_task(worker.run())
    await cadence.polls(4)

    execution = await cadence.start()
    waiting = asyncio.create_task(cadence.close_event(execution))
    await cadence.signal(execution)
    (event,) = await waiting

    assert event.workflowExecutionCompletedEventAttributes.result == b"Hello, world!"
    request = cadence.types.GetWorkflowExecutionHistoryRequest(domain=DOMAIN, execution=execution)
    history = await cadence.call(cadence.api.GetWorkflowExecutionHistory(request))
    kinds = [event.eventType for event in history.history.events]
    types = cadence.types.EventType
    assert kinds[0] == types.WorkflowExecutionStarted
    assert kinds[-1] == types.WorkflowExecutionCompleted
    assert {types.ActivityTaskCompleted, types.WorkflowExecutionSignaled} < set(kinds)
    await worker.drain()
    await running


async def test_calls_carry_the_headers_of_a_client(cadence, example):
    seen = []
    cadence.server.hooks.before_receive_request(lambda request: seen.append(dict(request.headers)))

    await cadence.register()

    assert seen == [example["worker"].HEADERS]
    assert cadence.seen[0][1]["re"] == "n"


async def test_a_poll_without_a_task_is_answered_after_a_minute_and_made_again(cadence, clock):
    await cadence.register()
    worker = cadence.worker(pollers=1)
    running = asyncio.create_task(worker.run())
    await cadence.polls(2)

    for minute in range(1, 4):
        await clock.elapse(59)
        assert cadence.counted("PollForDecisionTask") == minute
        await clock.elapse(1)
        await cadence.polls(2)
        assert cadence.counted("PollForDecisionTask") == minute + 1
    await worker.drain()
    await running


async def test_other_calls_are_answered_while_polls_wait(cadence):
    await cadence.register()
    worker = cadence.worker(pollers=8)
    running = asyncio.create_task(worker.run())
    await cadence.polls(16)

    executions = await asyncio.gather(*(cadence.start(f"w{n}") for n in range(20)))
    await asyncio.gather(*(cadence.signal(execution) for execution in executions))
    results = await asyncio.gather(*(cadence.close_event(execution) for execution in executions))

    assert {event.workflowExecutionCompletedEventAttributes.result for (event,) in results} == {
        b"Hello, world!"
    }
    await worker.drain()
    await running


async def test_a_failed_activity_is_told_and_fails_the_workflow(cadence, caplog):
    async def compose(name):
        raise ValueError("no greeting")

    await cadence.register()
    worker = cadence.worker(compose=compose)
    running = asyncio.create_task(worker.run())

    (event,) = await cadence.close_event(await cadence.start())

    failed = event.workflowExecutionFailedEventAttributes
    assert (failed.reason, failed.details) == ("ValueError", b"no greeting")
    assert "activity compose failed" in caplog.text
    await worker.drain()
    await running


async def test_draining_ends_polls_in_flight_at_once_and_the_frontend_knows(cadence):
    await cadence.register()
    worker = cadence.worker()
    running = asyncio.create_task(worker.run())
    await cadence.polls(4)

    await worker.drain()
    await running

    await cadence.polls(0)
    # What is started now waits for another worker: none of the dead polls took it.
    await cadence.start()
    other = cadence.worker()
    running = asyncio.create_task(other.run())
    async with asyncio.timeout(20):
        while not cadence.counted("RespondActivityTaskCompleted"):
            await asyncio.sleep(0)
    await other.drain()
    await running


async def test_draining_finishes_the_tasks_in_hand(cadence):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def compose(name):
        begun.set()
        await go_on.wait()
        return b"late"

    await cadence.register()
    worker = cadence.worker(compose=compose)
    running = asyncio.create_task(worker.run())
    await cadence.start()
    await begun.wait()

    await worker.drain()
    await cadence.polls(0)
    assert not running.done()
    go_on.set()
    await running

    assert cadence.counted("RespondActivityTaskCompleted") == 1


async def test_a_frontend_that_is_away_is_asked_again(cadence, monkeypatch, example, caplog):
    monkeypatch.setattr(example["worker"], "BACK_OFF", (0, 0))
    refused = []

    def refuse_twice(call, proceed):
        if call.endpoint.endswith("PollForDecisionTask") and len(refused) < 2:
            refused.append(call)
            raise cadence_down
        return proceed(call)

    from tchannel.errors import DeclinedError

    cadence_down = DeclinedError("the frontend is leaving")
    await cadence.register()
    cadence.server.interceptors.incoming.append(refuse_twice)
    worker = cadence.worker(pollers=1)
    running = asyncio.create_task(worker.run())
    await cadence.polls(2)

    assert len(refused) == 2
    assert cadence.counted("PollForDecisionTask") == 3
    assert "the frontend is leaving" in caplog.text
    await worker.drain()
    await running


async def test_what_we_ask_wrongly_ends_the_worker(cadence):
    with pytest.raises(ExceptionGroup) as caught:
        await cadence.worker(pollers=1).run()  # of a domain that nobody registered

    missing = cadence.types.EntityNotExistsError
    assert any(isinstance(error, missing) for error in caught.value.exceptions)

    await cadence.register()
    with pytest.raises(ExceptionGroup) as caught:
        await cadence.worker(pollers=1, poll_timeout=1).run()

    (error, *_) = caught.value.exceptions
    assert isinstance(error, cadence.types.BadRequestError)
    assert error.message == "Context timeout is too short."


async def test_declared_exceptions_are_the_callers(cadence):
    await cadence.register()
    await cadence.start()

    with pytest.raises(cadence.types.WorkflowExecutionAlreadyStartedError) as caught:
        await cadence.start()
    assert caught.value.runId
    assert ApplicationError.of(caught.value).name == "WorkflowExecutionAlreadyStartedError"
    with pytest.raises(cadence.types.DomainAlreadyExistsError):
        await cadence.register()
    nobody = cadence.types.WorkflowExecution(workflowId="nobody")
    with pytest.raises(cadence.types.EntityNotExistsError, match="not found"):
        await cadence.signal(nobody)
