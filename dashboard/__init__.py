"""The faces of Segmentry: pages, REST API and command line."""
