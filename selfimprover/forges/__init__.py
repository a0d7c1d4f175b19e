"""Pull requests and the repositories they belong to."""
