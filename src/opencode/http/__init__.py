"""The HTTP face: operations, routing, decoding, error answers, streams, the OpenAPI document. No rules of its own."""
