"""The footprint of a life: a year from questions, from bills, and day by day.

Nothing of it is stored here. Answers travel in the address, the diary in the form; a small script
keeps both on the device. Only an order, when somebody places one, is written down.
"""
