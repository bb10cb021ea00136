"""Azure Machine Learning behind the interface, through `azure-ai-ml` and `azure-identity`.

Nothing here imports the SDK when it is imported itself: `sdk` does, in a thread of its own, when a workspace is opened.
"""
