"""The commands of ``segmentry``, a file per kind; each imports what it needs when it is called."""
