"""One module, no process, no network; the folders mirror the code."""
