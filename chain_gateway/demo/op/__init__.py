"""An OpenID Provider for development: real on the wire, and anybody can sign in by a click."""

from chain_gateway.demo.op.model import DEMO_ACCOUNTS, Account, Algorithm, Dialect, OpClient
from chain_gateway.demo.op.provider import DemoOp

__all__ = ["DEMO_ACCOUNTS", "Account", "Algorithm", "DemoOp", "Dialect", "OpClient"]
