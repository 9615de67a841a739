"""System checks: what is wrong with this installation, each with an id and the remedy."""
