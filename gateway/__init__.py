"""Campus Gateway: joins a school's alarm buttons and cameras into one early-warning system."""

__version__ = "0.1.0"
