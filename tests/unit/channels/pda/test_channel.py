"""The channel as it is mounted: which device sees what, and the file to keep."""

from collections.abc import Mapping

import pytest

from channels.pda import channel
from channels.pda.channel import PALM_HEADERS
from parsers.small_screen import read_screen
from tests.support.micro import handset_before, plain_core

pytestmark = pytest.mark.anyio
POCKET = "Mozilla/2.0 (compatible; MSIE 3.02; Windows CE; 240x320)"


def test_what_the_registry_knows() -> None:
    """Name, id space and features are those of the matrix."""
    assert (channel.name, channel.id_space) == ("pda", "pda")
    assert {"launch", "conference", "control"} <= channel.features


@pytest.mark.parametrize(
    ("headers", "is_pocket"),
    [
        (PALM_HEADERS, False),
        ({"User-Agent": POCKET}, True),
        ({"User-Agent": "Mozilla/4.0 (compatible; MSIE 6.0; Windows CE; IEMobile 7.11)"}, True),
        ({"User-Agent": "x", "UA-pixels": "240x320"}, True),
        ({"User-Agent": "Mozilla/2.0 (compatible; MSIE 3.02; Windows 95)"}, False),
        ({"User-Agent": "Mozilla/4.0 (compatible; AvantGo 5.5; FreeBSD)"}, False),
        ({"User-Agent": ""}, False),
    ],
)
async def test_pocket_pcs_get_240_pixels(headers: Mapping[str, str], is_pocket: bool) -> None:  # noqa: FBT001  (a table)
    """Everybody else gets a clipping."""
    async with handset_before(plain_core(), "palm") as handset:
        handset.headers = dict(headers)
        await handset.open()
        assert ('width="240"' in handset.answer.text) is is_pocket
        assert ("PalmComputingPlatform" in handset.answer.text) is not is_pocket


async def test_the_application_is_a_file_to_keep() -> None:
    """It comes as a download, and what it sends leads to a conference page."""
    async with handset_before(plain_core(), "palm") as handset:
        answer = await handset.client.get("/pda/app")
        assert answer.headers["content-disposition"] == 'attachment; filename="callgate.html"'
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        (press,) = read_screen(answer.text).presses
        assert press.href == "http://callgate.test/pda"
