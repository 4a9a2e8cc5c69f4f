"""What a cassette may do with a call: replay it, record it, or refuse it."""

import enum

from .exceptions import VCRError

__all__ = ["RecordMode"]


class RecordMode(enum.StrEnum):
    """How a cassette behaves.

    Wherever a record mode is taken, its name does as well, in any case.
    """

    #: Record into a new file; replay an existing one and refuse everything else. The default, and
    #: usually what you want.
    ONCE = "once"
    #: Replay what is recorded, record everything else.
    NEW_EPISODES = "new_episodes"
    #: Replay what is recorded, refuse everything else.
    NONE = "none"
    #: Replay nothing, record everything anew, forget what was recorded before.
    ALL = "all"

    @classmethod
    def from_name(cls, name: "str | RecordMode") -> "RecordMode":
        """The mode called ``name``.

        :raises VCRError: there is none; the message names the four.
        """
        try:
            return cls(name.lower())
        except (ValueError, AttributeError):
            known = ", ".join(repr(mode.value) for mode in cls)
            raise VCRError(f"record mode {name!r} is none of {known}") from None

    @property
    def replays(self) -> bool:
        """Whether recordings are played back at all."""
        return self is not RecordMode.ALL

    @property
    def keeps_unplayed(self) -> bool:
        """Whether recordings that were not played stay in the file."""
        return self is not RecordMode.ALL

    def can_record(self, existed: bool) -> bool:
        """Whether new calls may be made, given whether the file was there before."""
        if self is RecordMode.ONCE:
            return not existed
        return self is not RecordMode.NONE
