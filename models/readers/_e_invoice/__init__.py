"""The parts of the e-invoice reader."""
