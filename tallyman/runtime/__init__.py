"""The machine at work: the engine (DBOS), schedules (APScheduler), the posting ledger, the clerk, the worker."""
