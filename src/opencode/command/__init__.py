"""Slash commands: built in, from configuration and from markdown files."""
