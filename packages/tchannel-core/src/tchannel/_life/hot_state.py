"""What every call looks at in its channel."""

__all__ = ["HotState"]


class HotState:
    """Attributes of a channel that have slots: found without its dict.

    A channel has more attributes than a dict of shared keys takes, so each look there is a search: 0.4 %
    of a small call in all.
    """

    __slots__ = (
        *("_prepared", "admission", "authorize", "counts", "default_endpoints", "events"),
        *("incoming_calls", "interceptors", "loop", "memory", "options", "peers_table", "queue"),
        *("recent", "retry_budget", "services", "state", "timers", "trace", "unsent_bytes"),
    )
