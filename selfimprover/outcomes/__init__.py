"""What became of merged fixes."""
