"""Virtual Zigbee devices: what they are, how they answer ZDO and ZCL, when they report and what they do to a room."""
