"""The parts of the rules reader."""
