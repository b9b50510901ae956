"""From a prompt to stored parts: run state, the loop, the processor of one model stream, titles, retry."""
