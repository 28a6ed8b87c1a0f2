"""The stock MCP client of PyPI against the gateway."""

import asyncio

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def _with_session(platform, user, work):
    url = platform.gateway.rstrip("/") + "/mcp"
    headers = {"Authorization": f"Bearer {platform.token(user)}"}
    async with streamablehttp_client(url, headers=headers) as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await session.initialize()
            return await work(session)


def test_operations_of_the_demo_api_are_tools_that_reach_the_backend(platform):
    async def work(session):
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        listing = next(name for name in tools if name.startswith("demo--petstore--") and "list" in name.lower())
        return tools, await session.call_tool(listing, {})

    tools, answer = asyncio.run(_with_session(platform, "ada", work))
    assert {"stoa_platform_info", "stoa_list_apis", "stoa_get_api_details"} <= set(tools)
    assert not answer.isError
    assert answer.content


def test_the_built_in_tools_show_what_the_caller_may_see(platform):
    async def work(session):
        return await session.call_tool("stoa_list_apis", {})

    answer = asyncio.run(_with_session(platform, "ada", work))
    assert not answer.isError
    assert "petstore" in answer.content[0].text


def test_a_wrong_argument_is_an_error_that_the_model_can_read(platform):
    async def work(session):
        return await session.call_tool("stoa_get_api_details", {})

    answer = asyncio.run(_with_session(platform, "ada", work))
    assert answer.isError
