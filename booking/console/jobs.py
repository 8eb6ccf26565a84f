"""Jobs of the console: large tables are looked through and imported by the worker."""

from collections.abc import Callable

from booking.console import service
from booking.kernel.db import db, transaction

GoOn = Callable[[], bool]
_TOLD_EVERY = 1_000  # rows


def _always() -> bool:
    return True


def run_imports(go_on: GoOn = _always) -> str:
    """Go through the tables that wait, one after the other, saying how far each is."""
    done = 0
    while go_on():
        with transaction():
            claimed = service.claim()
        if claimed is None:
            break
        with transaction():
            service.go_through(claimed, _Told(claimed))
        done += 1
    return f"导入 {done} 份"


def forget_imports() -> str:
    """Let go of files nobody finished."""
    with transaction():
        return f"清理导入文件 {service.forget_imports()} 份"


class _Told:
    """Says how far an import is over a connection of its own: its transaction is not over yet."""

    def __init__(self, import_id: int) -> None:
        self.import_id, self.seen, self.told = import_id, 0, 0

    def __call__(self, more: int) -> None:
        self.seen += more
        if self.seen - self.told < _TOLD_EVERY:
            return
        self.told = self.seen
        with db.engine.begin() as connection:
            connection.execute(service.progress_of(self.import_id, self.seen))
