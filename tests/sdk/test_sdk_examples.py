"""The examples in the SDK's docstrings do what they say."""

import doctest
import importlib
import pkgutil

import pytest

from chain_gateway import sdk

MODULES = [importlib.import_module(f"chain_gateway.sdk.{module.name}") for module in pkgutil.iter_modules(sdk.__path__)]
WITH_EXAMPLES = [m for m in MODULES if any(found.examples for found in doctest.DocTestFinder().find(m))]


@pytest.mark.parametrize("module", WITH_EXAMPLES, ids=lambda m: m.__name__)
def test_the_examples_of_a_module_hold(module):
    """Each example is run as a reader would."""
    assert doctest.testmod(module).failed == 0


def test_there_are_examples():
    """The list is not empty by mistake."""
    assert {m.__name__.rpartition(".")[2] for m in WITH_EXAMPLES} >= {"config", "cookies", "hop", "memory", "session"}
