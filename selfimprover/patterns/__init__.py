"""From error texts to patterns: parsing tracebacks, masking messages, fingerprints."""
