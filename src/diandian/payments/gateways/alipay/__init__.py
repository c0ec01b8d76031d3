"""Alipay: page and phone payments, QR codes; the supplier collects, our fee is split off."""
