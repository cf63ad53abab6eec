"""Bytes that prove something: keys, purposes, sealed and signed messages; pure."""
