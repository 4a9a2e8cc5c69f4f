"""The door for siblings."""

import weakref

from tchannel import TChannel, channel, lowlevel


def test_live_channels_are_told_while_another_thread_makes_one(monkeypatch):
    late = []

    class Growing(weakref.WeakSet):
        def __iter__(self):
            for one in super().__iter__():
                if not late:
                    late.append(None)
                    late[:] = [TChannel("late")]  # as another thread might, at this very moment
                yield one

    channels = [TChannel(f"early{number}") for number in range(3)]
    monkeypatch.setattr(channel, "_channels", Growing(channels))

    # Newer Pythons look through a copy, in which the late one need not be.
    assert {one.name for one in lowlevel.live_channels()} >= {"early0", "early1", "early2"}
    assert late[0].name == "late"
