"""Postfix: lines to events, events to hops and legs."""
