"""Where snapshots, runs, labels and jobs are kept: SQLite or PostgreSQL."""
