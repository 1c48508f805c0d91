"""A file becomes a case, whose work is enqueued with it; so does each document in a file of several."""

import hashlib

from sqlalchemy import Connection

from tallyman.contracts.system import Offer
from tallyman.domain.case import Case
from tallyman.runtime import engine
from tallyman.store import cases

_LONGEST_KEY = 390
"""A key has 400 characters at most; a part's number must have room behind it."""


def begin_case(
    connection: Connection,
    client: engine.EngineClient,
    offer: Offer,
    sha256: str,
    *,
    bot: str,
    source: str,
    run: str,
    attended: bool,
    part_of: str | None = None,
) -> Case | None:
    """The new case, whose work begins with the caller's transaction; None where the same file is a case already."""
    case = cases.take_in(
        connection,
        bot=bot,
        source=source,
        key=offer.key,
        name=offer.name,
        sha256=sha256,
        run=run,
        attended=attended,
        part_of=part_of,
    )
    if case is not None:
        queue = engine.case_queue(bot)
        place = cases.place(connection, case.id)  # as they came; what a person has decided goes before them
        client.enqueue(connection, engine.PROCESS, queue, f"case:{case.id}", case.id, place=place)
    return case


def part_offer(offer: Offer, number: int, name: str) -> Offer:
    """A document in a file, as an offer of its own; its key is as stable as the file's."""
    key = offer.key if len(offer.key) <= _LONGEST_KEY else hashlib.sha256(offer.key.encode()).hexdigest()
    return Offer(key=f"{key}#{number}", name=f"{offer.name} / {name}")
