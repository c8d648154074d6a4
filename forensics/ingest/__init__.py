"""Evidence in, deliveries out: the survey, the reading, what overlaps, and the tables that come of it."""
