"""The recipes and what they share.

Each package here is a recipe: its ``__init__`` judges the evidence and words the draft. The code is read and changed by
the modules beside it, which it imports only when it drafts, because libcst is slow to import.
"""
