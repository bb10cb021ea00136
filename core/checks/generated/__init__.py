"""Requests that Schemathesis generates from the document, and what is behind those that were not answered well."""
