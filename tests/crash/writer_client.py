"""One client process: ``python writer_client.py HOST:PORT SECONDS NAME`` writes, then prints what was acknowledged."""

import http.client
import json
import sys
import time
from typing import Any


def main(address: str, seconds: float, name: str) -> dict[str, Any]:
    """The session it made, its last title, and the prompts it stored in it, in order."""
    connection = http.client.HTTPConnection(address, timeout=30)

    def send(method: str, path: str, body: Any) -> Any:
        connection.request(method, path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text)

    session = send("POST", "/session", {"title": name})["id"]
    until, stored, title = time.monotonic() + seconds, [], name
    while time.monotonic() < until:
        text = f"{name}-{len(stored)}"
        send("POST", f"/session/{session}/message", {"noReply": True, "parts": [{"type": "text", "text": text}]})
        stored.append(text)
        title = send("PATCH", f"/session/{session}", {"title": f"title of {text}"})["title"]
    return {"session": session, "title": title, "stored": stored}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]), sys.argv[3])))
