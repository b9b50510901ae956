"""Rules, their evaluation, and the asks that wait for a person."""
