"""The one table of hop modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chain_gateway.core.chain import Mode
from chain_gateway.hops.base import HopMode
from chain_gateway.hops.external import External
from chain_gateway.hops.form_post import FormPost
from chain_gateway.hops.redirect import Redirect
from chain_gateway.hops.two_step import TwoStep

MODES: Final[Mapping[Mode, HopMode]] = {
    Mode.FORM_POST: FormPost(),
    Mode.TWO_STEP: TwoStep(),
    Mode.REDIRECT: Redirect(),
    Mode.EXTERNAL: External(),
}
