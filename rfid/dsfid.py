"""Data storage format identifiers of library tags. A hint only: many tags in the field carry a wrong one."""

UNKNOWN = 0x00
ISO28560_2 = 0x06  # ISO/IEC 15962 no-directory access method with the library data format
ISO28560_3 = 0x3E  # from memory, not verified against the standard: detection never relies on it alone
