"""Virtual Zigbee: a TI Z-Stack 3.30 coordinator on a byte wire and the devices that it hears over the air."""
