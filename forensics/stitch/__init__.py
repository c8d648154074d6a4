"""Hops and legs of all systems → journeys → deliveries. What belongs to one system is its loader's."""
