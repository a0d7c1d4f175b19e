"""selfimprover: finds an assistant's repeated errors at night and proposes proven fixes."""
