"""The sentences of the generated pages; what can be said from the model is not said here."""

from __future__ import annotations

from typing import Final

from chain_gateway.core.limits import ID_CHARS
from chain_gateway.core.templates import PLACEHOLDERS

FILES: Final = {
    "demo.toml": "four apps on `*.localhost`, with gateway and provider on the same port: the chain of the demo",
    "auth0.toml": "an Auth0 tenant and six sites on foreign domains, each with what suits it",
    "big.toml": "forty sites in one chain, for large installations and for measurements",
}

README_INTRO: Final = """
<!-- Made of the model by `{command}`; change the model, not this page. -->

# Chains that work as they are

Copy one, put your own names into it, set the environment variables that it names, and look at what is left to do:

```console
$ chain-gateway check --config chain_configs/demo.toml
```
"""

REFERENCE_INTRO: Final = """
<!-- Made of the model by `{command}`; change the model, not this page. -->

# Configuration

One TOML file holds everything. `chain-gateway check --config FILE` reads it as the gateway does and lists every problem
at once, each with its place in the file, the reason, and what to write instead. Ready-made files are in
[chain_configs](../chain_configs/README.md); a whole example is at the end of this page.
"""

FORMS: Final = {
    "secret": (
        '`{ env = "NAME" }` for an environment variable, `{ file = "PATH" }` for a file that only its owner can use, '
        "or the text itself. A line end at the end of the file is not part of the secret. "
        "Secrets are never shown: not in messages, logs or dumps"
    ),
    "PEM key": "in the same three forms; the file of a public key may be open to others",
    "duration": 'whole seconds (`90`), or a number with its unit: `"90s"`, `"15m"`, `"12h"`, `"30d"`',
    "origin": (
        "`https://HOST` or `https://HOST:PORT` in lower-case ASCII, with nothing after it. "
        "`http` is for `localhost`, `*.localhost`, `127.0.0.1` and `[::1]` alone, here and in every URL"
    ),
    "URL template": (
        "a URL whose query has placeholders as values, each of which is percent-encoded: "
        + ", ".join(f"`{{{name}}}`" for name in sorted(PLACEHOLDERS))
    ),
    "store URL": (
        "`memory://`, or `sqlite:///PATH` with percent-encoding, where four slashes begin an absolute path; "
        "`?synchronous=full` after it waits for the disk at each commit. Redis or Valkey, which several gateways share "
        "(`pip install 'chain-gateway[redis]'`), is `redis://USER:PASSWORD@HOST:PORT/DATABASE`, "
        "`redis+sentinel://HOST,HOST/NAME` for what sentinels watch under a name, with "
        "`?sentinel_password=PASSWORD&sentinel_user=USER` where they ask for one, or `redis+cluster://HOST,HOST`; "
        "`rediss` in place of `redis` is TLS, where `?ca=PATH` names the authority of the servers' certificates and "
        "`&cert=PATH&key=PATH` a certificate of the gateway's own"
    ),
    "id": f"lower-case letters, digits, `-` and `_`, up to {ID_CHARS}; a letter or digit comes first",
    "path": "relative ones start at the folder of the configuration file",
    "address": "`HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; port 0 lets the system choose",
}

CHECKED: Final = """
Beside values that are malformed, out of range or unknown, a file is refused where it breaks one of these rules:
"""

SECOND_APP: Final = """
[[apps]]
# an app without the SDK, which speaks OpenID Connect already: it is visited by URLs of its own and proves nothing
id = "news"
name = "News"
origin = "https://news.example"
login = "external"
external_login = "https://news.example/oidc/start?iss={iss}&target_link_uri={target_link_uri}"
logout = "external"
external_logout = "https://news.example/oidc/logout?next={return_to}"
"""
