"""Slash commands: built-in ones, those of configuration, prompts of MCP servers and skills, under their names.

Reading commands from Markdown is the business of ``config``, running one that of ``loop``.
"""
