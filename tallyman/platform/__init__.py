"""What the machine gives: configuration, clock, vault, blobs, logs, the sandbox for strangers' files."""
