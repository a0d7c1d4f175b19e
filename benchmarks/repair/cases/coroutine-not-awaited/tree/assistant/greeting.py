"""What is said first."""

GREETINGS = {"en": "Good morning", "de": "Guten Morgen"}


def greeting_for(profile):
    """The greeting in the language of a profile."""
    return f"{GREETINGS.get(profile['language'], 'Hello')}, {profile['name']}"


async def greet(store, user):
    """Greets a user; raises ``UnknownUserError``."""
    profile = store.load(user)
    return greeting_for(profile)
