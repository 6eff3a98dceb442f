"""skscale against scikit-learn, scikit-learn-intelex and plain numpy: ``python -m benchmarks``."""
