"""Profiles of users, as the database has them."""

import asyncio


class UnknownUserError(LookupError):
    """There is no user of that id."""


class ProfileStore:
    """Loads profiles."""

    def __init__(self, profiles):
        self._profiles = dict(profiles)

    async def load(self, user):
        """The profile of a user; raises ``UnknownUserError``."""
        await asyncio.sleep(0)
        if user not in self._profiles:
            raise UnknownUserError(user)
        return self._profiles[user]
