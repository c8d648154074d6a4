"""Rules that stop further mail to a mistyped domain: for confirmed pairs alone, tried on the case before."""

from forensics.blocking.rules import Block, Counted, Left, Rule, genuine, made, watched
from forensics.blocking.writing import FORMATS, files

__all__ = ["FORMATS", "Block", "Counted", "Left", "Rule", "files", "genuine", "made", "watched"]
