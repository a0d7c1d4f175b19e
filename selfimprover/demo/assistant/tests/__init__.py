"""Tests of the assistant; they use loopback only."""
