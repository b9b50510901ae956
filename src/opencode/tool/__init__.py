"""What the model can call: the tool contract, the registry, and the wrapper all tools share."""
