"""One file for each model that is trained: `TRAINER`."""
