"""Which case another one was cut out of, and the pages of a decision to split"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("part_of", sa.String(length=80)))
    op.create_index(op.f("ix_cases_part_of"), "cases", ["part_of"])
    op.add_column("decisions", sa.Column("pages", sa.JSON(), nullable=False, server_default="[]"))
