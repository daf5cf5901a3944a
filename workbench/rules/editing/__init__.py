"""Rules files edited: comments and order kept, shared parts extracted."""
