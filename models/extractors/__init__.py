"""Feature extractors: pure classes from media to feature vectors, one for live, offline and training use."""
