"""What lives as long as the process is left alone, what comes later is still collected."""

import gc
import weakref

from booking.kernel import memory


class Ring:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_lives_before_is_frozen_and_what_comes_later_is_collected():
    before, frozen = Ring(), gc.get_freeze_count()
    try:
        memory.settle()
        later = weakref.ref(Ring())
        gc.collect()

        assert gc.get_freeze_count() > frozen
        assert later() is None
        assert before.itself is before
    finally:
        gc.unfreeze()
