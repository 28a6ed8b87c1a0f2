"""The stock MCP client of PyPI against the gateway, in both eras of the protocol."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


@pytest.fixture(params=["legacy", "2026-07-28"])
def era(request):
    return request.param


@asynccontextmanager
async def _client(platform, user, era):
    url = platform.gateway.rstrip("/") + "/mcp"
    headers = {"Authorization": f"Bearer {platform.token(user)}"}
    async with create_mcp_http_client(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=era) as client:
            yield client


def _with_client(platform, user, era, work):
    async def run():
        async with _client(platform, user, era) as client:
            return await work(client)

    return asyncio.run(run())


def test_operations_of_the_demo_api_are_tools_that_reach_the_backend(platform, era):
    async def work(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        listing = next(name for name in tools if name.startswith("demo--petstore--") and "list" in name.lower())
        return tools, await client.call_tool(listing, {})

    tools, answer = _with_client(platform, "ada", era, work)
    assert {"stoa_platform_info", "stoa_list_apis", "stoa_get_api_details"} <= set(tools)
    assert not answer.is_error
    assert answer.content


def test_the_built_in_tools_show_what_the_caller_may_see(platform, era):
    answer = _with_client(platform, "ada", era, lambda client: client.call_tool("stoa_list_apis", {}))
    assert not answer.is_error
    assert "petstore" in answer.content[0].text


def test_a_wrong_argument_is_an_error_that_the_model_can_read(platform, era):
    answer = _with_client(platform, "ada", era, lambda client: client.call_tool("stoa_get_api_details", {}))
    assert answer.is_error
