"""What the scenarios of bench/run are made of."""
