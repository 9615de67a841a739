"""What a report says and draws: pure, from its frozen context alone; no database, no clock, no network."""
