"""Writes a tiny database in MaxMind's published file format (version 2.0), for the tests of this folder."""

import ipaddress
from pathlib import Path
from typing import Any


def write(path: Path, networks: dict[str, Any], *, ip_version: int = 6) -> Path:
    """`networks`: network → record. Records of 24 bits; IPv4 networks lie below ::/96 in a version 6 tree."""
    nodes: list[list[int | str | None]] = [[None, None]]
    for network in networks:
        _place(nodes, _bits(network, ip_version), network)
    data, offsets = b"", {}
    for network, record in networks.items():
        offsets[network] = len(data)
        data += _encoded(record)
    tree = b"".join(_pointer(side, nodes, offsets).to_bytes(3, "big") for node in nodes for side in node)
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_700_000_000,
        "database_type": "Test-Country",
        "description": {"en": "Test"},
        "ip_version": ip_version,
        "languages": ["en"],
        "node_count": len(nodes),
        "record_size": 24,
    }
    path.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + _encoded(metadata))
    return path


def _bits(network: str, ip_version: int) -> str:
    parsed = ipaddress.ip_network(network)
    padding = "0" * 96 if ip_version == 6 and parsed.version == 4 else ""
    return padding + f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"[: parsed.prefixlen]


def _place(nodes: list[list[int | str | None]], bits: str, network: str) -> None:
    node = 0
    for bit in bits[:-1]:
        following = nodes[node][int(bit)]
        if not isinstance(following, int):
            nodes.append([None, None])
            following = nodes[node][int(bit)] = len(nodes) - 1
        node = following
    nodes[node][int(bits[-1])] = network


def _pointer(side: int | str | None, nodes: list[list[int | str | None]], offsets: dict[str, int]) -> int:
    if side is None:
        return len(nodes)
    return side if isinstance(side, int) else len(nodes) + 16 + offsets[side]


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        content = value.encode()
        return _control(2, len(content)) + content
    if isinstance(value, int):
        content = value.to_bytes(8, "big").lstrip(b"\0")
        return _control(9, len(content)) + content
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(_encoded(each) for each in value)
    return _control(7, len(value)) + b"".join(_encoded(key) + _encoded(item) for key, item in value.items())


def _control(kind: int, size: int) -> bytes:
    head, rest = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([kind << 5 | head]) + rest if kind < 8 else bytes([head, kind - 7]) + rest
