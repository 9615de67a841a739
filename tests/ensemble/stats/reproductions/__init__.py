"""The reference values computed again, by subject; importing the modules registers what they reproduce."""
