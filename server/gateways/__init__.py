"""The gateways as the library knows them, and how one is retired."""
