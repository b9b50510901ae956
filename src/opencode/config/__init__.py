"""The shapes of configuration files, where they are found, how they are read and merged. Nothing here acts on them."""
