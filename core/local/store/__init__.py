"""The workspace's facts and wishes in SQLite: all SQL stands here."""
