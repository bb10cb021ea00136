"""What scoring servers recorded: found, merged, read, kept for a time, passed on."""
