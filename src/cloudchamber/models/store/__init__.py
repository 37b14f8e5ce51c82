"""Answers kept in a file, so that nothing is asked twice and a study can be replayed without any model."""
