"""Skills: finding, downloading and reading ``SKILL.md`` files, and the built-in ones.

Telling models about them is the business of ``loop`` and of the ``skill`` tool.
"""
