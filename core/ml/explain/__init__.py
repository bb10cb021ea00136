"""What a trial's predictions look like, and what its model goes by."""
