"""One run of the checks as others read it: JUnit XML, and a page of its own."""
