"""The devices' page: the Zigbee network, who joins it, and how each device is."""
