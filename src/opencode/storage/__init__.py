"""The SQLite database of one data directory: connection, group commit, migrations, ownership. Knows no records."""
