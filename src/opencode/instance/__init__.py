"""The object graph of one directory, what all directories share, and the registry of open directories."""
