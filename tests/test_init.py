"""The front page: names that are imported when they are first used."""

import pytest

import cloudchamber


def test_completion_offers_every_public_name() -> None:
    assert set(cloudchamber.__all__) <= set(dir(cloudchamber))
    assert all(getattr(cloudchamber, name) is not None for name in cloudchamber.__all__)


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match=r"no 'Fed'; allowed: Feed, .*Did you mean 'Feed'"):
        _ = cloudchamber.Fed
    assert not hasattr(cloudchamber, "__wrapped__")
