"""How snapshots, runs and work are kept in SQLite and PostgreSQL, with SQLAlchemy."""
