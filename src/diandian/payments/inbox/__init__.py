"""What gateways told us, kept until it is applied."""
