"""The stretches of a batch, consumed from their start."""
