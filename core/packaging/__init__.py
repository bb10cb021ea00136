"""Write one model folder that serves anywhere: arrays, native files, JSON, card, parity, MLflow's `MLmodel`."""
