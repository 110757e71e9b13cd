"""How well value models foresaw days they had not seen."""
