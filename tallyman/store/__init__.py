"""What Tallyman remembers: tables, migrations, the audit chain. One database, shared with the engine's own tables."""
