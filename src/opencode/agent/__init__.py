"""Agent definitions: built in, from configuration and from markdown files."""
