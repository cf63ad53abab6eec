"""What a walk is: pure values and rules, without I/O, clock, randomness or log."""
