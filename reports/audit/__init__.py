"""Whether results are complete, untouched, and those of their suite and of today's code."""
