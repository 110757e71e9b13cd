"""Building blocks of engines that group by distance or density."""
