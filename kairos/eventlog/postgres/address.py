"""Builds the address of a PostgreSQL log and shows it without secrets. Does not import psycopg, which is slow."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit


def shown(url: str) -> str:
    """The address without password or options, for messages and the log."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "postgresql://…"
    return f"postgresql://{host}{port}{parts.path}"


def address(dbname: str, host: str, port: str | int, user: str, password: str, schema: str) -> str:
    """The address of a log in a schema, from its parts."""
    name = schema.replace('"', '""').replace("\\", "\\\\").replace(" ", "\\ ")
    parts = {"host": host, "port": port, "user": user, "password": password, "options": f'-csearch_path="{name}"'}
    given = {key: value for key, value in parts.items() if value != ""}
    return f"postgresql:///{quote(dbname, safe='')}?{urlencode(given, quote_via=quote)}"


def secrets_of(url: str) -> set[str]:
    """The passwords in an address, as written and percent-decoded; the whole address if it is not valid."""
    try:
        parts = urlsplit(url)
        words = [parts.password or "", *(value for key, value in parse_qsl(parts.query) if "password" in key)]
    except ValueError:
        return {url}
    return {form for word in words if word for form in (word, unquote(word))}
