"""What each customer is likely to be worth: purchases to expect, their value, CLV and the risk of losing them."""

from engines.value.lifetime.clv import Valuation, clv_alone, estimate, revalue
from engines.value.lifetime.history import NEEDED

__all__ = ["NEEDED", "Valuation", "clv_alone", "estimate", "revalue"]
