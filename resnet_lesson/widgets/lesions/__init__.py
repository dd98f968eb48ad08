"""The lesion explorer."""
