"""opencode-server: OpenCode's headless server, agent and command line, in Python."""
