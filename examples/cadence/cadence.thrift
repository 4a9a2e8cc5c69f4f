// A part of Cadence's interface, as its frontend serves it: the methods that a worker's life needs, with
// the names, numbers and types that Cadence has, in two files as there. Fields that are left out here are
// skipped when they come. With the whole IDL of Cadence in their place the worker is the same.

include "shared.thrift"

service WorkflowService {
  void RegisterDomain(1: shared.RegisterDomainRequest registerRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.DomainAlreadyExistsError domainExistsError
    4: shared.ServiceBusyError serviceBusyError
    5: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    6: shared.AccessDeniedError accessDeniedError
  )

  shared.StartWorkflowExecutionResponse StartWorkflowExecution(1: shared.StartWorkflowExecutionRequest startRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.WorkflowExecutionAlreadyStartedError sessionAlreadyExistError
    4: shared.ServiceBusyError serviceBusyError
    5: shared.DomainNotActiveError domainNotActiveError
    6: shared.LimitExceededError limitExceededError
    7: shared.EntityNotExistsError entityNotExistError
    8: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    9: shared.AccessDeniedError accessDeniedError
  )

  void SignalWorkflowExecution(1: shared.SignalWorkflowExecutionRequest signalRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.EntityNotExistsError entityNotExistError
    4: shared.ServiceBusyError serviceBusyError
    5: shared.DomainNotActiveError domainNotActiveError
    6: shared.LimitExceededError limitExceededError
    7: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    8: shared.WorkflowExecutionAlreadyCompletedError workflowExecutionAlreadyCompletedError
    9: shared.AccessDeniedError accessDeniedError
  )

  shared.GetWorkflowExecutionHistoryResponse GetWorkflowExecutionHistory(1: shared.GetWorkflowExecutionHistoryRequest getRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.EntityNotExistsError entityNotExistError
    4: shared.ServiceBusyError serviceBusyError
    5: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    6: shared.AccessDeniedError accessDeniedError
  )

  shared.PollForDecisionTaskResponse PollForDecisionTask(1: shared.PollForDecisionTaskRequest pollRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.ServiceBusyError serviceBusyError
    4: shared.LimitExceededError limitExceededError
    5: shared.EntityNotExistsError entityNotExistError
    6: shared.DomainNotActiveError domainNotActiveError
    7: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    8: shared.AccessDeniedError accessDeniedError
  )

  shared.RespondDecisionTaskCompletedResponse RespondDecisionTaskCompleted(1: shared.RespondDecisionTaskCompletedRequest completeRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.EntityNotExistsError entityNotExistError
    4: shared.DomainNotActiveError domainNotActiveError
    5: shared.LimitExceededError limitExceededError
    6: shared.ServiceBusyError serviceBusyError
    7: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    8: shared.WorkflowExecutionAlreadyCompletedError workflowExecutionAlreadyCompletedError
    9: shared.AccessDeniedError accessDeniedError
  )

  shared.PollForActivityTaskResponse PollForActivityTask(1: shared.PollForActivityTaskRequest pollRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.ServiceBusyError serviceBusyError
    4: shared.LimitExceededError limitExceededError
    5: shared.EntityNotExistsError entityNotExistError
    6: shared.DomainNotActiveError domainNotActiveError
    7: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    8: shared.AccessDeniedError accessDeniedError
  )

  void RespondActivityTaskCompleted(1: shared.RespondActivityTaskCompletedRequest completeRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.EntityNotExistsError entityNotExistError
    4: shared.DomainNotActiveError domainNotActiveError
    5: shared.LimitExceededError limitExceededError
    6: shared.ServiceBusyError serviceBusyError
    7: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    8: shared.WorkflowExecutionAlreadyCompletedError workflowExecutionAlreadyCompletedError
    9: shared.AccessDeniedError accessDeniedError
  )

  void RespondActivityTaskFailed(1: shared.RespondActivityTaskFailedRequest failRequest) throws (
    1: shared.BadRequestError badRequestError
    3: shared.EntityNotExistsError entityNotExistError
    4: shared.DomainNotActiveError domainNotActiveError
    5: shared.LimitExceededError limitExceededError
    6: shared.ServiceBusyError serviceBusyError
    7: shared.ClientVersionNotSupportedError clientVersionNotSupportedError
    8: shared.WorkflowExecutionAlreadyCompletedError workflowExecutionAlreadyCompletedError
    9: shared.AccessDeniedError accessDeniedError
  )
}
