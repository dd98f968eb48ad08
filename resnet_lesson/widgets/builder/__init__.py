"""The architecture builder."""
