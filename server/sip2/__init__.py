"""SIP2: self-service terminals, sorters and gates of other makers at the lending desk."""
