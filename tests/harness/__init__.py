"""What tests and benchmarks share: a daemon as a process, a pressing client, a reader of the stream."""
