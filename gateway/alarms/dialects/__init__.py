"""One pure decoder per maker: topic and payload to what the device said; none touches the network."""
