"""The tables of the laptop's store."""

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table

VERSION = 1
# In the file's header, so that another program's database is not taken for a store: "SMLH".
APPLICATION_ID = 0x534D4C48

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
    sqlite_with_rowid=False,
)

journals = Table(
    "journals",
    metadata,
    Column("journal_id", LargeBinary, primary_key=True),
    Column("device_id", LargeBinary, nullable=False),
    Column("first_seen_s", Integer, nullable=False),  # UTC
    Column("confirmed", Integer, nullable=False, default=0),  # highest seq that a receipt was given for
    sqlite_with_rowid=False,
)

records = Table(
    "records",
    metadata,
    Column("journal_id", LargeBinary, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", Integer, nullable=False),
    Column("boot", Integer, nullable=False),
    Column("uptime_ms", Integer, nullable=False),
    Column("clock_s", Integer),  # UTC as the kiosk knew it, or null
    Column("raw", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# The same identity with other bytes than those in `records`: never thrown away, never used.
conflicts = Table(
    "conflicts",
    metadata,
    Column("journal_id", LargeBinary, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("raw", LargeBinary, primary_key=True),
    Column("seen_s", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Written before a command is sent: a counter is never used for two wishes, whatever happens to the laptop.
commands = Table(
    "commands",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("counter", Integer, primary_key=True, autoincrement=False),
    Column("device_id", LargeBinary, nullable=False),
    Column("name", String, nullable=False),
    Column("args", LargeBinary, nullable=False),  # CBOR
    Column("issued_s", Integer, nullable=False),
    Column("seq", Integer),  # of the record it became
    Column("outcome", String),  # null: no answer yet; "done", or the reason of the refusal
    sqlite_with_rowid=False,
)
