"""What Sphinx has to learn for the lesson's pages: its widgets, formulas, words and policy."""
