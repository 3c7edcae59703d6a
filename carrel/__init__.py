"""What gateway and server share: contracts, configuration, clock, logging, the design system and the commands."""
