"""Journeys: joining hops, and moving the columns of many batches."""
