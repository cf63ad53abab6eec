"""URL templates of apps without the SDK: what may be left open in them, and what fills it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.second_judge import landing

from chain_gateway.core.origins import check_location
from chain_gateway.core.templates import PLACEHOLDERS, check_template, fill_template

LOGIN = "https://crm.example/oidc/start?iss={iss}&target_link_uri={target_link_uri}&login_hint={login_hint}"


@pytest.mark.parametrize(
    "template",
    [
        LOGIN,
        "https://crm.example/logout?next={return_to}",
        "https://crm.example/logout?next={return_to}&state={state}&fixed=a%20b",
        "https://crm.example/logout",
        "https://crm.example",
        "https://crm.example?back={return_to}",
        "http://crm.localhost:8000/logout?a=b={return_to}",
        "https://crm.example/a?wrapped=x-{state}-y",
    ],
)
def test_a_template_open_in_its_query_is_taken(template):
    """Placeholders in values of the query, or none at all; what is filled in leads to the template's own origin."""
    check_template(template)
    url = fill_template(template, dict.fromkeys(PLACEHOLDERS, "https://evil.example/#"))
    assert check_location(url) == url
    assert landing(url).origin == landing(template).origin


@pytest.mark.parametrize(
    "template",
    [
        "https://{return_to}/",
        "https://{state}.crm.example/",
        "https://crm.example{state}/",
        "https://crm.example:{state}/",
        "{return_to}",
        "{iss}/logout",
        "{state}://crm.example/",
        "https://{return_to}?x=1",
    ],
)
def test_a_placeholder_in_the_host_is_refused(template):
    """Nothing that comes from elsewhere may choose scheme, host or port."""
    with pytest.raises(ValueError, match=r"template|placeholder"):
        check_template(template)


@pytest.mark.parametrize(
    "template",
    [
        *("https://crm.example/{return_to}", "https://crm.example/a/{state}?x=1", "https://crm.example/a?{state}=1"),
        *("https://crm.example/a?{state}", "https://crm.example/a?x={password}", "https://crm.example/a?x={}"),
        *("https://crm.example/a?x={state", "https://crm.example/a?x=state}", "https://crm.example/a?x={{state}}"),
        *(
            "https://crm.example/a?x={return_to}#y",
            "https://crm.example/#?x={return_to}",
            "https://crm.example/a\\b?x=1",
        ),
        *("http://crm.example/a?x={state}", "https://a@crm.example/?x={state}", "https://crm.example//a?x={state}"),
        *(
            "https://crm.example/../a?x={state}",
            "https://crm.example/a?x= {state}",
            "https://crm.example/a?x={state}\n",
        ),
        *(
            "https://CRM.example/?x={state}",
            "https://crm.example:443/?x={state}",
            "",
            "/logout?x={state}",
            "//crm.example",
        ),
        *(
            "https://crm.example/a?x={ state }",
            "https://crm.example/a?x={state!r}",
            "https://crm.example/a?x={iss.__class__}",
        ),
    ],
)
def test_a_template_that_could_be_bent_is_refused(template):
    """Unknown placeholders, placeholders outside of values, and all that the judge of redirect targets refuses."""
    with pytest.raises(ValueError, match=r"\w"):
        check_template(template)


@settings(deadline=None)
@given(st.text())
def test_a_value_stays_in_its_place(value):
    """Whatever fills a placeholder, the URL goes to the same path and has the same parameters."""
    url = fill_template("https://crm.example/out?next={return_to}&state=s", {"return_to": value})
    assert check_location(url) == url
    assert url.startswith("https://crm.example/out?next=")
    assert url.count("&") == 1
    assert url.endswith("&state=s")


def test_a_value_that_looks_like_a_placeholder_is_not_filled_again():
    """Values are text: one that spells a placeholder gets nothing of another value."""
    url = fill_template("https://crm.example/?a={return_to}&b={state}", {"return_to": "{state}", "state": "secret"})
    assert url == "https://crm.example/?a=%7Bstate%7D&b=secret"


def test_a_missing_value_is_a_mistake():
    """A template is never sent out with a hole in it."""
    with pytest.raises(KeyError):
        fill_template("https://crm.example/?a={return_to}", {})
