"""How Django itself writes dates and times, at the desk: the month never as a number alone."""
