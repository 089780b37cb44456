"""Fitting of the efficiencies in ``catalog/efficiency`` to the measurements in ``benchmarks/data``."""
