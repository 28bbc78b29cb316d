"""The first schema: tables, indexes, and the triggers of what is never changed."""

from pathlib import Path

from alembic import op

from call_core.storage import append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = Path(__file__).with_suffix(".sql")
_SEQ = {"sqlite": "INTEGER", "postgresql": "BIGSERIAL"}
_APPEND_ONLY = ("transfers", "cdrs", "cdr_amendments", "audit")


def upgrade() -> None:
    """Create everything in an empty database."""
    connection = op.get_bind()
    schema = _SCHEMA.read_text(encoding="utf-8")
    schema = schema.replace("{seq}", _SEQ[connection.dialect.name])
    for statement in schema.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement.strip())
    append_only.install(connection, _APPEND_ONLY)
