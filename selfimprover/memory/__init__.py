"""The memory: cases, their journal, and evidence that only grows."""
