"""All tables. The engine keeps its own in the same database; nothing here refers to a workflow id."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[object]):
    """An aware time, stored in UTC. SQLite forgets the zone; this gives it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: object, _dialect: object) -> object:
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError("a time without a zone can't be stored")
            return value.astimezone(UTC)
        return value

    def process_result_value(self, value: object, _dialect: object) -> object:
        if isinstance(value, datetime) and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value


cases = Table(
    "cases",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(80), nullable=False, unique=True),
    Column("bot", String(60), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("file", Text, nullable=False),
    Column("source", String(60), nullable=False),
    Column("run", String(120), nullable=False, index=True),
    Column("received_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("attended", Boolean, nullable=False, default=False),
    Column("message", Text, nullable=False, default=""),
    Column("record", String(80), nullable=False, default=""),
    Column("document", JSON(none_as_null=True)),
    Column("verdict", JSON(none_as_null=True)),
    Column("party", String(200)),
    Column("number", String(200)),
    Column("number_alike", String(200)),
    Column("gross", Numeric(18, 4)),
    Column("currency", String(3)),
    Column("issue_date", String(10)),
    Column("part_of", String(80), index=True),
    UniqueConstraint("bot", "sha256"),
)

offers = Table(
    "offers",
    metadata,
    Column("bot", String(60), primary_key=True),
    Column("source", String(60), primary_key=True),
    Column("key", String(400), primary_key=True),
    Column("name", Text, nullable=False),
    Column("case_id", String(80), ForeignKey("cases.id"), nullable=False, index=True),
    Column("repeated", Boolean, nullable=False),
    Column("taken_at", UtcTime, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("bot", String(60), nullable=False),
    Column("requested_by", String(80), nullable=False),
    Column("requested_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("offered", Integer),
    Column("taken", Integer),
    Column("repeated", Integer),
    Column("problems", JSON, nullable=False, default=list),
    Column("inputs", JSON, nullable=False, default=dict),
    Column("attended", Boolean, nullable=False, default=False),
)

postings = Table(
    "postings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("system", String(60), nullable=False),
    Column("company", String(60), nullable=False),
    Column("party", String(200), nullable=False),
    Column("number", String(200), nullable=False),
    Column("verb", String(20), nullable=False),
    Column("case_id", String(80), ForeignKey("cases.id"), nullable=False, index=True),
    Column("payload", JSON, nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("epoch", Integer, nullable=False, default=1),
    Column("armed_at", UtcTime),
    Column("record", String(80), nullable=False, default=""),
    Column("note", Text, nullable=False, default=""),
    Column("screenshot", String(64)),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("system", "company", "party", "number", "verb", name="uq_postings_natural_key"),
)

posting_orders = Table(
    "posting_orders",
    metadata,
    Column("posting_id", Integer, ForeignKey("postings.id"), primary_key=True),
    Column("order_number", String(200), primary_key=True, index=True),
)

leases = Table(
    "leases",
    metadata,
    Column("system", String(60), primary_key=True),
    Column("account", String(120), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("holder", String(120), nullable=False),
    Column("taken_at", UtcTime, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("system", String(60), primary_key=True),
    Column("party", String(200), primary_key=True),
    Column("case_id", String(80), ForeignKey("cases.id"), nullable=False),
    Column("run", String(160), nullable=False, index=True),
    Column("taken_at", UtcTime, nullable=False),
)

waiting = Table(
    "waiting",
    metadata,
    Column("case_id", String(80), ForeignKey("cases.id"), primary_key=True),
    Column("system", String(60), nullable=False),
    Column("party", String(200), nullable=False),
    Column("since", UtcTime, nullable=False),
)

breakers = Table(
    "breakers",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("opened", Integer, nullable=False),
    Column("open_until", UtcTime),
    Column("message", Text, nullable=False, default=""),
    Column("updated_at", UtcTime, nullable=False),
)

buckets = Table(
    "buckets",
    metadata,
    Column("system", String(60), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("filled_at", UtcTime, nullable=False),
)

review_items = Table(
    "review_items",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", String(80), ForeignKey("cases.id"), index=True),
    Column("origin", String(160), nullable=False, unique=True),
    Column("state", String(20), nullable=False, index=True),
    Column("reason", String(40), nullable=False, index=True),
    Column("findings", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False, index=True),
    Column("updated_at", UtcTime, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("item_id", Integer, ForeignKey("review_items.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("by", String(80), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("corrections", JSON, nullable=False),
    Column("accepted", JSON, nullable=False),
    Column("pages", JSON, nullable=False, default=list, server_default="[]"),
    UniqueConstraint("item_id", "n"),
)

schedules = Table(
    "schedules",
    metadata,
    Column("bot", String(60), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("watermark", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

layouts = Table(
    "layouts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("supplier", String(200), nullable=False, index=True),
    Column("document_type", String(40), nullable=False),
    Column("positions", JSON, nullable=False),
    Column("case_id", String(80)),
    Column("confirmed_by", String(80), nullable=False),
    Column("confirmed_at", UtcTime, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("data", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

Index("ix_cases_duplicate", cases.c.party, cases.c.gross, cases.c.issue_date)
Index("ix_cases_alike", cases.c.party, cases.c.number_alike)
