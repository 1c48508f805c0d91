"""Leases of accounts, reservations of parties, breakers and buckets, the orders of postings"""

import sqlalchemy as sa
from alembic import op

from tallyman.domain.posting import orders_of
from tallyman.store.tables import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("system", sa.String(length=60), nullable=False),
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("taken_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("system", "account", name=op.f("pk_leases")),
    )
    op.create_table(
        "reservations",
        sa.Column("system", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=200), nullable=False),
        sa.Column("case_id", sa.String(length=80), nullable=False),
        sa.Column("run", sa.String(length=160), nullable=False),
        sa.Column("taken_at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_reservations_case_id")),
        sa.PrimaryKeyConstraint("system", "party", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_run"), "reservations", ["run"])
    op.create_table(
        "waiting",
        sa.Column("case_id", sa.String(length=80), nullable=False),
        sa.Column("system", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=200), nullable=False),
        sa.Column("since", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_waiting_case_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_waiting")),
    )
    op.create_table(
        "breakers",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("open_until", UtcTime),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_breakers")),
    )
    op.create_table(
        "buckets",
        sa.Column("system", sa.String(length=60), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("filled_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_buckets")),
    )
    op.create_table(
        "posting_orders",
        sa.Column("posting_id", sa.Integer(), nullable=False),
        sa.Column("order_number", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["postings.id"], name=op.f("fk_posting_orders_posting_id")),
        sa.PrimaryKeyConstraint("posting_id", "order_number", name=op.f("pk_posting_orders")),
    )
    op.create_index(op.f("ix_posting_orders_order_number"), "posting_orders", ["order_number"])
    _remember_orders()
    op.drop_index("ix_cases_party", "cases")
    op.drop_index("ix_cases_number_alike", "cases")
    op.create_index("ix_cases_alike", "cases", ["party", "number_alike"])


def _remember_orders() -> None:
    """For postings that were made before this table was there."""
    postings = sa.table("postings", sa.column("id", sa.Integer), sa.column("payload", sa.JSON))
    orders = sa.table("posting_orders", sa.column("posting_id"), sa.column("order_number"))
    for row in op.get_bind().execute(sa.select(postings)).all():
        for number in orders_of(row.payload):
            op.get_bind().execute(orders.insert().values(posting_id=row.id, order_number=number))
