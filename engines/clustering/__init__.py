"""What engines that group by distance or density share."""
