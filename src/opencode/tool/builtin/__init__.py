"""The built-in tools, one module each, with the description for the model as text beside it."""
