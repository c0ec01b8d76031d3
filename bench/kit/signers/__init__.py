"""How notices of each gateway are signed, so that a fuzzer gets past the signature.

One file for a gateway, by its key: ``merchant(folder)`` makes keys there and returns the facts of a
merchant as its file would name them, None where the house knows it; ``sample(number, payment_no,
inside)`` returns what a lawful notice says, ``inside`` being applied to what lies deepest, before
anything is sealed; ``signed(body, shift)`` returns headers and body as the gateway would send them
``shift`` seconds from now, believed whatever they say; ``is_same(one, other)`` tells whether two
bodies are the same to a signature. ``IDS`` names who we are there. A gateway without a file here is
sent everything too, but signed by nobody.
"""
