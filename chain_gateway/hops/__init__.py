"""One file per way to make a hop: how it is begun and what counts as its return."""
