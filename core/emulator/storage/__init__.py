"""The storage account's own hosts: blobs with their signatures, lists in XML, and the data lake over the same blobs."""
