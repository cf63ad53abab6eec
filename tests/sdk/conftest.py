"""The app that most tests of the adapter visit."""

import pytest
from support.sdk_site import Site


@pytest.fixture
async def site(aiohttp_client):
    """An app behind the SDK as it comes."""
    return await Site(aiohttp_client).start()
