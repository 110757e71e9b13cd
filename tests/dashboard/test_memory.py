"""How much memory a piece of work needed at most."""

import sys

import numpy as np
import pytest

from dashboard.memory import peak_memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says how much it was")
def test_the_peak_is_that_of_the_work_alone():
    np.ones(12_000_000).sum()  # 96 MB that are given back before
    with peak_memory() as small:
        pass
    with peak_memory() as large:
        np.ones(8_000_000).sum()
    assert 50e6 < large["peak"] - large["before"] < 90e6
    assert small["peak"] - small["before"] < 20e6


def test_where_the_system_does_not_say_there_is_nothing(tmp_path):
    with peak_memory(tmp_path / "nowhere") as found:
        pass
    assert found == {}
