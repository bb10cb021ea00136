"""What this machine gives and takes: processes, locks, ports, files that survive, points to fail at."""
