"""Several parts together: a database, a file, a process."""
