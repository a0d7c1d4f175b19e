"""What people read: reports of a night, and the text of a pull request."""
