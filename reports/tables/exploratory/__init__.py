"""Comparisons that nobody planned: they may suggest a question, and are no answer to one."""
