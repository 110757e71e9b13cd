"""A sample plug-in for Segmentry."""
