"""Type variables of requests and responses: who does not say them has Any."""

from typing import TYPE_CHECKING, Any

__all__ = ["BodyT", "HeadersT"]

if TYPE_CHECKING:
    # Checkers bring it along; typing has defaults from 3.13 on.
    from typing_extensions import TypeVar

    BodyT = TypeVar("BodyT", default=Any)
    HeadersT = TypeVar("HeadersT", default=Any)
else:
    from typing import TypeVar

    BodyT = TypeVar("BodyT")
    HeadersT = TypeVar("HeadersT")
