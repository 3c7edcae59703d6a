"""The reports' page, for staff: what a month was like in the rooms."""
