"""The measurements, a module for each group of rows. Each has ``measure``."""
