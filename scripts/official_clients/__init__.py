"""The official clients of OpenCode, unchanged, driven against this server: what works is printed check by check."""
