"""What several pages draw with: words, charts, notices, and endpoints and jobs as people read them."""
