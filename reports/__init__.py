"""From results.csv and run folders to tables, figures and pages; nothing here fits anything."""
