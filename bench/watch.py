"""Asks after a server's health at a steady pace, in a process of its own: what else is measured cannot delay it.

``python -m bench.watch PORT DIRECTORY`` says ``watching``, goes on until its input ends, and prints how long each
answer took, in seconds, as a JSON array.
"""

import asyncio
import json
import sys
import time

from bench.client import Target, connected

EVERY_SECONDS = 0.005
"""No load, but it shows how long the server does not answer."""


async def watch(target: Target) -> list[float]:
    """Who would have asked while an answer was due has waited too."""
    answers: list[float] = []
    request = target.request("GET", "/global/health")
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    async with connected(target.port) as (connection,):
        await connection.ask(request)
        print("watching", flush=True)
        while not over.done():
            began = time.perf_counter()
            await connection.ask(request)
            seconds = time.perf_counter() - began
            while seconds > 0:
                answers.append(seconds)
                seconds -= EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
    return answers


if __name__ == "__main__":
    print(json.dumps(asyncio.run(watch(Target(int(sys.argv[1]), sys.argv[2])))))
