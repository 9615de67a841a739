"""Law as reviewed data: pure loaders of the files in `data/`, each row with its source, date and confidence."""
