"""The recipes and what they share.

``retry_connect`` and ``delegated_attribute`` are the recipes: they judge the evidence and word the draft. The code is
read and changed by the modules that they import when they draft, because libcst is slow to import.
"""
