"""Pipelines on Azure ML: a definition is a pipeline component behind a batch endpoint, a version is a deployment."""
