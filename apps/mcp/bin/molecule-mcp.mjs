#!/usr/bin/env node
import "../dist/molecule-mcp.mjs";
