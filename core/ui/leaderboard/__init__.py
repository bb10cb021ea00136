"""Leaderboard: training, and its trials as they land."""
