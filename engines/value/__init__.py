"""What each customer is likely to be worth: purchases to expect, their value, CLV and the risk of losing them."""

from engines.value.clv import Valuation, estimate, revalue

__all__ = ["Valuation", "estimate", "revalue"]
