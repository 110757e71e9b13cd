"""From raw sales to named, valued customer segments: tables in, values out."""
