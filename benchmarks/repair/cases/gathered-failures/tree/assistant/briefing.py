"""The morning's briefing."""


class Briefing:
    """What was found, and which sources had nothing to say because they failed."""

    def __init__(self):
        self.items = []
        self.failed = {}

    def text(self):
        """One line an item; a source that failed is named, never left out silently."""
        lines = [str(item) for item in self.items]
        lines += [f"({name} could not be asked: {error})" for name, error in sorted(self.failed.items())]
        return "\n".join(lines)
