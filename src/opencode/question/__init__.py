"""Questions the agent asks a person, and their answers."""
