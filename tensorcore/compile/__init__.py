"""Compiled programs: capture of what passes the door, and its replay."""
