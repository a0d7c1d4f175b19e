"""What runs inside the sandbox, in the project's own Python: copied there, never imported by the service.

Each folder goes on PYTHONPATH by itself. Written for Python 3.8 and the standard library alone.
"""
