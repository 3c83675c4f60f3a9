"""The log on PostgreSQL: one database (or schema) that several homes share."""
