"""Jobs: AutoML, command and pipeline jobs, what runs leave behind, MLflow's tracking, and schedules."""
