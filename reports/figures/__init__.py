"""Pictures of results: curves, sheets of restorations, ranks, and training as an animation.

Each file of this folder makes one kind, as PNG and PDF, as wide as a page's text at most; the
numbers behind them are those of the tables.
"""
