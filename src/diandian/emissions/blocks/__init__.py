"""Building blocks that scene kinds share: questions, lines and levers of one part of a visit."""
