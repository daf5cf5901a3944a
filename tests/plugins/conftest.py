from __future__ import annotations

import pytest

import workbench as wb


@pytest.fixture(scope="session")
def weblog(sample):
    """Give the path of the weblog sample."""
    return sample("weblog")


@pytest.fixture(scope="session")
def access_log(weblog):
    """Give the path of the log that ships with weblog."""
    return str(weblog.parent / "data" / "access.log")


@pytest.fixture(scope="session")
def faulty(sample):
    """Give the path of the plugin that fails on request."""
    return sample("faulty")


@pytest.fixture(scope="session")
def legacy(sample):
    """Give a function: generation, such as "0_3", to library."""

    def library(generation):
        return sample("legacy", f"liblegacy_{generation}.so")

    return library


@pytest.fixture
def plugin(weblog):
    """Give the weblog plugin, loaded."""
    with wb.load(weblog) as loaded:
        yield loaded
