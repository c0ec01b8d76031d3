"""How much a browser may send as files: more than any of our forms takes is not read at all."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# Five megabytes of evidence, and the rest of the form around it. What lies between this and a
# form's own bound is refused by the form, in words.
MOST_BYTES = 8_000_000


class BoundedUploadHandler(FileUploadHandler):
    """Stands before the handlers that keep what is sent. Keeps nothing itself."""

    def handle_raw_input(
        self,
        input_data: object,
        META: dict[str, Any],  # noqa: N803 - Django's signature
        content_length: int,
        boundary: object,
        encoding: str | None = None,
    ) -> None:
        """Refuse a body by its stated length, before it is read. Raises: RequestDataTooBig."""
        del input_data, META, boundary, encoding
        if content_length > MOST_BYTES:
            raise RequestDataTooBig("the files of a form are larger than any form takes")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass everything on."""
        del start
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the next handler."""
        del file_size
