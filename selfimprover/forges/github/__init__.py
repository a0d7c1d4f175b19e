"""GitHub as a forge, over its REST API: pure rules, a thin client, and the forge on top of both."""
