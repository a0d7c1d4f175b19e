"""Asking a language model: the adapter, its faults, its budget, and the memory of what was asked.

``errors`` says what follows from a fault, ``asking.chat_for`` puts the parts together for one finding.
"""
