"""Leases: the right to work as one licensed user of a system, held by one worker at a time.

Each taking raises the lease's epoch, and the ledger arms only under the epoch that stands in the table: a worker that
was paused or cut off while another took its account over can't click any more.
"""

from sqlalchemy import Connection, select

from tallyman.domain.base import Value
from tallyman.errors import NotArmed
from tallyman.platform.clock import now
from tallyman.runtime.places import Place
from tallyman.store.database import Database
from tallyman.store.tables import leases


class Lease(Value):
    """`account` is the user's login; `#2` and so on behind it where the system allows a user several sessions."""

    system: str
    account: str
    epoch: int

    @property
    def user(self) -> str:
        return self.account.partition("#")[0]


class Leases:
    """The leases that one worker takes."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place

    @property
    def shared(self) -> bool:
        """Other workers may want what we hold."""
        return not self._place.alone

    def take(self, system: str, accounts: list[str]) -> Lease | None:
        """The first account that nobody holds; None when all are held."""
        account = next((one for one in accounts if self._place.take(_name(system, one))), None)
        if account is None:
            return None
        try:
            return self._written(system, account)
        except BaseException:
            self._place.give_back(_name(system, account))
            raise

    def _written(self, system: str, account: str) -> Lease:
        key = {"system": system, "account": account}
        with self._database.transaction() as connection:
            row = connection.execute(select(leases.c.epoch).filter_by(**key).with_for_update()).first()
            epoch = (row.epoch if row else 0) + 1
            values = {"epoch": epoch, "holder": self._place.name, "taken_at": now()}
            if row:
                connection.execute(leases.update().filter_by(**key).values(**values))
            else:
                connection.execute(leases.insert().values(**key, **values))
        return Lease(system=system, account=account, epoch=epoch)

    def give_back(self, lease: Lease) -> None:
        with self._database.transaction() as connection:
            key = {"system": lease.system, "account": lease.account, "epoch": lease.epoch}
            connection.execute(leases.update().filter_by(**key).values(holder=""))
        self._place.give_back(_name(lease.system, lease.account))


def check(connection: Connection, lease: Lease) -> None:
    """Raises NotArmed when the account was taken over. Nobody can take it before the transaction ends."""
    key = {"system": lease.system, "account": lease.account, "epoch": lease.epoch}
    if connection.execute(select(leases.c.epoch).filter_by(**key).with_for_update(read=True)).first() is None:
        raise NotArmed("Another worker has taken our account over; nothing was posted.")


def _name(system: str, account: str) -> str:
    return f"lease:{system}:{account}"
