// A part of what cadence.thrift needs: the types, as Cadence has them.

enum DecisionType {
  ScheduleActivityTask = 0
  CompleteWorkflowExecution = 3
  FailWorkflowExecution = 4
}

enum EventType {
  WorkflowExecutionStarted = 0
  WorkflowExecutionCompleted = 1
  WorkflowExecutionFailed = 2
  DecisionTaskScheduled = 4
  DecisionTaskStarted = 5
  DecisionTaskCompleted = 6
  ActivityTaskScheduled = 9
  ActivityTaskStarted = 10
  ActivityTaskCompleted = 11
  ActivityTaskFailed = 12
  WorkflowExecutionSignaled = 27
}

enum HistoryEventFilterType {
  ALL_EVENT = 0
  CLOSE_EVENT = 1
}

exception BadRequestError { 1: required string message }
exception DomainAlreadyExistsError { 1: required string message }
exception LimitExceededError { 1: required string message }
exception AccessDeniedError { 1: required string message }
exception WorkflowExecutionAlreadyCompletedError { 1: required string message }

exception EntityNotExistsError {
  1: required string message
  2: optional string currentCluster
  3: optional string activeCluster
}

exception ServiceBusyError {
  1: required string message
  2: optional string reason
}

exception DomainNotActiveError {
  1: required string message
  2: required string domainName
  3: required string currentCluster
  4: required string activeCluster
}

exception ClientVersionNotSupportedError {
  1: required string featureVersion
  2: required string clientImpl
  3: required string supportedVersions
}

exception WorkflowExecutionAlreadyStartedError {
  10: optional string message
  20: optional string startRequestId
  30: optional string runId
}

struct WorkflowType { 10: optional string name }
struct ActivityType { 10: optional string name }
struct TaskList { 10: optional string name }

struct WorkflowExecution {
  10: optional string workflowId
  20: optional string runId
}

// -- decisions

struct ScheduleActivityTaskDecisionAttributes {
  10: optional string activityId
  20: optional ActivityType activityType
  25: optional string domain
  30: optional TaskList taskList
  40: optional binary input
  45: optional i32 scheduleToCloseTimeoutSeconds
  50: optional i32 scheduleToStartTimeoutSeconds
  55: optional i32 startToCloseTimeoutSeconds
  60: optional i32 heartbeatTimeoutSeconds
}

struct CompleteWorkflowExecutionDecisionAttributes { 10: optional binary result }

struct FailWorkflowExecutionDecisionAttributes {
  10: optional string reason
  20: optional binary details
}

struct Decision {
  10: optional DecisionType decisionType
  20: optional ScheduleActivityTaskDecisionAttributes scheduleActivityTaskDecisionAttributes
  30: optional CompleteWorkflowExecutionDecisionAttributes completeWorkflowExecutionDecisionAttributes
  35: optional FailWorkflowExecutionDecisionAttributes failWorkflowExecutionDecisionAttributes
}

// -- events

struct WorkflowExecutionStartedEventAttributes {
  10: optional WorkflowType workflowType
  20: optional TaskList taskList
  30: optional binary input
}

struct WorkflowExecutionCompletedEventAttributes { 10: optional binary result }

struct WorkflowExecutionFailedEventAttributes {
  10: optional string reason
  20: optional binary details
}

struct ActivityTaskScheduledEventAttributes {
  10: optional string activityId
  20: optional ActivityType activityType
  40: optional binary input
}

struct ActivityTaskCompletedEventAttributes {
  10: optional binary result
  20: optional i64 scheduledEventId
  40: optional string identity
}

struct ActivityTaskFailedEventAttributes {
  10: optional string reason
  20: optional binary details
  30: optional i64 scheduledEventId
  50: optional string identity
}

struct WorkflowExecutionSignaledEventAttributes {
  10: optional string signalName
  20: optional binary input
  30: optional string identity
}

struct HistoryEvent {
  10: optional i64 eventId
  20: optional i64 timestamp
  30: optional EventType eventType
  40: optional WorkflowExecutionStartedEventAttributes workflowExecutionStartedEventAttributes
  50: optional WorkflowExecutionCompletedEventAttributes workflowExecutionCompletedEventAttributes
  60: optional WorkflowExecutionFailedEventAttributes workflowExecutionFailedEventAttributes
  130: optional ActivityTaskScheduledEventAttributes activityTaskScheduledEventAttributes
  150: optional ActivityTaskCompletedEventAttributes activityTaskCompletedEventAttributes
  160: optional ActivityTaskFailedEventAttributes activityTaskFailedEventAttributes
  260: optional WorkflowExecutionSignaledEventAttributes workflowExecutionSignaledEventAttributes
}

struct History { 10: optional list<HistoryEvent> events }

// -- requests and responses

struct RegisterDomainRequest {
  10: optional string name
  20: optional string description
  40: optional i32 workflowExecutionRetentionPeriodInDays
}

struct StartWorkflowExecutionRequest {
  10: optional string domain
  20: optional string workflowId
  30: optional WorkflowType workflowType
  40: optional TaskList taskList
  50: optional binary input
  60: optional i32 executionStartToCloseTimeoutSeconds
  70: optional i32 taskStartToCloseTimeoutSeconds
  80: optional string identity
  90: optional string requestId
}

struct StartWorkflowExecutionResponse { 10: optional string runId }

struct SignalWorkflowExecutionRequest {
  10: optional string domain
  20: optional WorkflowExecution workflowExecution
  30: optional string signalName
  40: optional binary input
  50: optional string identity
}

struct PollForDecisionTaskRequest {
  10: optional string domain
  20: optional TaskList taskList
  30: optional string identity
}

struct PollForDecisionTaskResponse {
  10: optional binary taskToken
  20: optional WorkflowExecution workflowExecution
  30: optional WorkflowType workflowType
  40: optional i64 previousStartedEventId
  50: optional i64 startedEventId
  60: optional History history
  70: optional binary nextPageToken
}

struct RespondDecisionTaskCompletedRequest {
  10: optional binary taskToken
  20: optional list<Decision> decisions
  40: optional string identity
}

struct RespondDecisionTaskCompletedResponse {
  10: optional PollForDecisionTaskResponse decisionTask
}

struct PollForActivityTaskRequest {
  10: optional string domain
  20: optional TaskList taskList
  30: optional string identity
}

struct PollForActivityTaskResponse {
  10: optional binary taskToken
  20: optional WorkflowExecution workflowExecution
  30: optional string activityId
  40: optional ActivityType activityType
  50: optional binary input
}

struct RespondActivityTaskCompletedRequest {
  10: optional binary taskToken
  20: optional binary result
  30: optional string identity
}

struct RespondActivityTaskFailedRequest {
  10: optional binary taskToken
  20: optional string reason
  30: optional binary details
  40: optional string identity
}

struct GetWorkflowExecutionHistoryRequest {
  10: optional string domain
  20: optional WorkflowExecution execution
  30: optional i32 maximumPageSize
  40: optional binary nextPageToken
  50: optional bool waitForNewEvent
  60: optional HistoryEventFilterType HistoryEventFilterType
}

struct GetWorkflowExecutionHistoryResponse {
  10: optional History history
  20: optional binary nextPageToken
}
