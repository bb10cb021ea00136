"""Azure Resource Manager: resources below the workspace, long-running operations, and what is asked of a resource."""
