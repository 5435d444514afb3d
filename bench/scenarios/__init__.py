"""One file per scenario: what is measured of each gateway, and what sluice must reach."""
