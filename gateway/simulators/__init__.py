"""Simulated devices that speak the real protocols: camera, button, office, police."""

from gateway.simulators.dispatch import KINDS, main

__all__ = ["KINDS", "main"]
