"""Leases of accounts, reservations of parties, breakers and buckets"""

import sqlalchemy as sa
from alembic import op

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
        sa.Column("taken_at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_reservations_case_id")),
        sa.PrimaryKeyConstraint("system", "party", name=op.f("pk_reservations")),
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
    op.create_index("ix_postings_party", "postings", ["system", "verb", "party"])
