"""How notices of each gateway are signed, so that a fuzzer gets past the signature.

One file for a gateway, by its key: ``merchant(folder)`` makes keys there and returns the facts of a
merchant as its file would name them; ``signed(body)`` returns the headers of a notice that is
believed, ``sample(number)`` the body of a lawful one. A gateway without a file here is sent
everything too, but signed by nobody.
"""
