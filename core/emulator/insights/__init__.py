"""Application Insights over the records of the workspace: its query language, its tables, and its REST interfaces."""
