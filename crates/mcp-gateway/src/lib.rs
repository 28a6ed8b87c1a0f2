//! Serves deployed APIs as MCP tools and as REST, and checks every call.
