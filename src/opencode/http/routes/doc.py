"""``/doc``: the API document, for programs and for people."""

from opencode.http.answer import Answer
from opencode.http.operation import operation
from opencode.http.request import Request
from opencode.http.table import OperationTable
from opencode.http.viewer import viewer_page, wants_page


@operation("doc.get", "GET", "/doc", source="ours", listed=False)
def get_document(request: Request, table: OperationTable) -> Answer:
    """The OpenAPI document; for browsers, a page that shows it."""
    if wants_page(request.header(b"accept") or ""):
        return Answer(200, viewer_page(table.document), ((b"content-type", b"text/html; charset=utf-8"),))
    return Answer(200, table.document)


@operation("doc.json", "GET", "/doc.json", source="ours", listed=False)
def get_doc_json(table: OperationTable) -> Answer:
    """The OpenAPI document."""
    return Answer(200, table.document)


@operation("doc.openapi", "GET", "/openapi.json", source="ours", listed=False)
def get_openapi_json(table: OperationTable) -> Answer:
    """The OpenAPI document."""
    return Answer(200, table.document)


operations = (get_document, get_doc_json, get_openapi_json)
