"""What several models make together, how it is judged, and what it may take when it is served."""
