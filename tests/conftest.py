"""Beside the tests' rooms: pytest puts this folder on the path, so all rooms find ``toy_study``."""
