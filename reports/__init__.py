"""From results.csv and run folders to tables, figures and a summary; nothing here fits anything."""
