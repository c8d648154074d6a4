"""All that is compiled, and nothing else knows how: loops over bytes and numbers, for loaders and the joining.

This room imports nothing of the package but itself, so that its bytes decide what its machine code is (`compiler`).
"""
