"""What a report says: facts and words in, blocks and runs of text out, the same for every format."""
