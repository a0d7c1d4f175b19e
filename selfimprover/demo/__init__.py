"""The example assistant and the script that plays the whole loop on it."""
