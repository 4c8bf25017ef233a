"""aiohttp with a semaphore: the same loop in Python."""
import asyncio
import json
import sys

import aiohttp


async def main() -> None:
    source, target, at_once = sys.argv[1:4]
    urls = iter(list(enumerate(json.loads(line) for line in open(source))))
    connector = aiohttp.TCPConnector(limit=int(at_once))
    with open(target, "w") as out:
        async with aiohttp.ClientSession(connector=connector) as session:

            async def lane() -> None:
                for index, url in urls:
                    async with session.get(url) as answer:
                        value = await answer.json(content_type=None)
                        out.write(json.dumps({"index": index, "status": answer.status, "value": value}) + "\n")

            async with asyncio.TaskGroup() as group:
                for _ in range(int(at_once)):
                    group.create_task(lane())


asyncio.run(main())
