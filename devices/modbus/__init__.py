"""Digital inputs and outputs over Modbus: modules as data, one poller and one face per bus."""
