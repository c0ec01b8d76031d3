"""The ground on which projects grow what they are credited for."""
