"""docs/methods.md: its table of rolling origins is what the embedded data gives."""

import pytest

from tests.engines.value.origins_table import documented, rows


def lines(sample: str) -> list[str]:
    return [line for line in documented().splitlines() if line.startswith(f"| {sample} |")]


@pytest.mark.slow
def test_the_origins_of_cdnow_are_as_documented():
    assert lines("cdnow-sample") == list(rows("cdnow-sample")) != []


@pytest.mark.slow
def test_the_origins_of_the_sample_shop_are_as_documented():
    assert lines("sample-shop") == list(rows("sample-shop")) != []
