"""What every layer stands on: ids, errors, the wire base, clock, paths, subprocesses."""
