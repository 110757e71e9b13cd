"""Lifetime models: BG/NBD, MBG/NBD, Pareto/NBD, Gamma-Gamma, CLV and its intervals."""
