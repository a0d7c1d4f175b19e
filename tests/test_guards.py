"""The suite itself: what its guards refuse."""

import socket

import pytest


def test_no_test_can_reach_beyond_this_machine() -> None:
    with socket.socket() as outside, pytest.raises(AssertionError, match="tried to reach"):
        outside.connect(("192.0.2.1", 80))
