"""Online and batch endpoints: kept as Azure keeps them, served by endpoints of the workspace."""
