"""The HTTP face: operations, routing, decoding, error answers, event streams, the OpenAPI document. No rules of its own."""
