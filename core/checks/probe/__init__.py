"""One endpoint under examination: requests, the answers to them, and where in these the answers to rows stand."""
