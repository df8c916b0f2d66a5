"""Pictures of results: curves, sheets of restorations, ranks, and training as an animation.

Figures are PNG and PDF, as wide as a page's text at most, animations WebP; the numbers behind them
are those of the tables.
"""
