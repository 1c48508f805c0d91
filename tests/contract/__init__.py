"""Every extension that a scan finds keeps its contract."""
