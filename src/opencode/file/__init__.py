"""Searching and reading the files of a project: ripgrep and its Python fallback."""
