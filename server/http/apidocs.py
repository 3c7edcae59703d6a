"""Renders an OpenAPI schema as one plain page: no script and nothing from another host, so that it works offline."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h2 { border-bottom: 1px solid; margin-top: 3rem; text-transform: capitalize; }
h3 { margin: 2rem 0 0; font: 600 1rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; }
tr { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
code { font-family: ui-monospace, monospace; }
"""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)


def render(schema: dict[str, Any]) -> str:
    """The whole page."""
    info = schema["info"]
    body = "\n".join([*_paths(schema), *_schemas(schema)])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(info['title'])} API</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>\n"
        f"<p>{escape(info.get('description', ''))}</p>\n"
        '<p>The same for programs: <a href="openapi.json">openapi.json</a></p>\n'
        f"{body}\n</body>\n</html>\n"
    )


def _paths(schema: dict[str, Any]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append(_operation(method, path, operation))
    for tag, operations in groups.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from operations


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [f"<h3>{method.upper()} {escape(path)}</h3>", f"<p>{escape(operation.get('description', ''))}</p>"]
    if body := operation.get("requestBody"):
        lines.append(f"<p>Body: {_content(body)}</p>")
    if parameters := operation.get("parameters"):
        rows = (
            f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}</td>"
            f"<td>{_type(p.get('schema', {}))}</td><td>{escape(p.get('description', ''))}</td></tr>"
            for p in parameters
        )
        lines.append(f"<table>{''.join(rows)}</table>")
    for status, answer in operation.get("responses", {}).items():
        if status != "422":
            lines.append(f"<p>Answer {escape(status)}: {_content(answer) or escape(answer.get('description', ''))}</p>")
    return "\n".join(lines)


def _schemas(schema: dict[str, Any]) -> Iterator[str]:
    yield "<h2>Bodies</h2>"
    for name, body in sorted(schema.get("components", {}).get("schemas", {}).items()):
        yield f'<h3 id="{escape(name)}">{escape(name)}</h3>\n<p>{escape(body.get("description", ""))}</p>'
        required = set(body.get("required", ()))
        rows = (
            f"<tr><td><code>{escape(field)}</code></td><td>{_type(kind)}</td>"
            f"<td>{'required' if field in required else 'optional'}</td></tr>"
            for field, kind in body.get("properties", {}).items()
        )
        yield f"<table>{''.join(rows)}</table>"


def _content(holder: dict[str, Any]) -> str:
    return ", ".join(_type(media.get("schema", {})) for media in holder.get("content", {}).values())


def _type(schema: dict[str, Any]) -> str:
    """A short name for a type; named bodies are links."""
    if ref := schema.get("$ref"):
        name = re.sub(r".*/", "", ref)
        return f'<a href="#{escape(name)}">{escape(name)}</a>'
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_type(option) for option in options)
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in values)
    return escape(str(schema.get("format") or schema.get("type") or "any"))
