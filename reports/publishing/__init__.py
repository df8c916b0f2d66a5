"""What the documentation shows: each published result is made by one command, and kept true."""
