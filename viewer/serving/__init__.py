"""Bringing the server up and keeping it sound: one process that holds sockets, pages and the engine."""
