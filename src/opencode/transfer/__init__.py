"""Sessions that leave and come: exports, imports, and the data of an installed OpenCode. Prompts nobody."""
