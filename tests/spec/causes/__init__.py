"""The causes for which venues say no, each in the venue's own words."""
