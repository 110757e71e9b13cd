"""Expected value of each customer: purchases, their value, CLV and churn risk."""

from engines.value.lifetime.clv import Valuation, clv_alone, estimate, revalue
from engines.value.lifetime.history import NEEDED

__all__ = ["NEEDED", "Valuation", "clv_alone", "estimate", "revalue"]
