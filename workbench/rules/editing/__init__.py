"""Rules files edited: comments and order kept, shared fragments extracted."""
