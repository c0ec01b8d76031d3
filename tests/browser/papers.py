"""Reads what the product prints, by other programs than those that printed it."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pymupdf
import pypdf
import zxingcpp
from PIL import Image

Json = dict[str, Any]


def page_picture(pdf: bytes, dpi: int = 200) -> Image.Image:
    """Return the first page of a PDF as a picture."""
    pixels = pymupdf.open(stream=pdf, filetype="pdf")[0].get_pixmap(dpi=dpi)
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)


def qr_texts(picture: Image.Image) -> list[str]:
    """Return what the QR codes of a picture say."""
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in found]


def png(data: bytes) -> Image.Image:
    """Return a PNG as a picture."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def pdf_text(pdf: bytes) -> str:
    """Return the text of a PDF, every space and line break as one space."""
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return flat(" ".join(page.extract_text() for page in pages))


def attached(pdf: bytes) -> Json:
    """Return the JSON document attached to a PDF."""
    (data,) = pypdf.PdfReader(io.BytesIO(pdf)).attachments["certificate.json"]
    return json.loads(data)


def flat(text: str) -> str:
    """Return text with every run of spaces, narrow ones too, as one space."""
    return re.sub(r"\s+", " ", text).strip()


def tight(text: str) -> str:
    """Return text without spaces: paper breaks lines where pages do not."""
    return re.sub(r"\s+", "", text)
