"""The gateway WeChat Pay: JSAPI, H5 and Native payments, profit sharing, statements."""
