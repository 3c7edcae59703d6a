"""The MQTT side of the server: what arrives from the gateways, and the outbox of commands to them."""
