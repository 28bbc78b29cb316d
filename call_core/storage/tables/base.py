"""What every table is made of: one catalogue, whole numbers and text."""

from sqlalchemy import BigInteger, Column, MetaData, Text, text

metadata = MetaData()


def integer(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    """Return a whole number's column."""
    server = None if default is None else text(str(default))
    return Column(name, BigInteger, nullable=null, server_default=server)


def words(name: str, *, key: bool = False, default: str | None = None) -> Column[str]:
    """Return a text column; it is never null, "" is nothing."""
    server = None if default is None else text(f"'{default}'")
    return Column(name, Text, primary_key=key, nullable=False, server_default=server)
