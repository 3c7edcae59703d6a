"""How a climate treats a collection: moisture, chemistry, mould and light, per formula and per zone. Pure functions."""
