"""Our server and the official ones, measured side by side: ``make bench``, or ``python -m bench --help``."""
