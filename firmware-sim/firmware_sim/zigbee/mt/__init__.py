"""The coordinator's firmware: TI monitor-and-test (MT) commands, its NV memory and its network."""
