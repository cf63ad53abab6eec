"""The store in Redis or Valkey, which any number of gateways share: one server, Sentinel, or a cluster."""

from chain_gateway.store.redis.places import Form, Place
from chain_gateway.store.redis.store import RedisStore

__all__ = ["Form", "Place", "RedisStore"]
