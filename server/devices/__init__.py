"""The Zigbee networks of the gateways: who is on them, and what people ask of them."""
