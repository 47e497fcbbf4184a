"""Checks the addresses and ports that commands listen on, before anything starts."""

import argparse
import socket

from django.core.management.base import CommandError

HIGHEST_PORT = 65_535


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, as in 127.0.0.1:8000")
    return host, port_number(port)


def port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a valid port. Use a number from 0 to {HIGHEST_PORT}"
        )
    return int(text)


def refuse_taken(host: str, port: int) -> None:
    """Raises an error with a clear message if the port cannot be used."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Stop the program that uses it, or "
            "choose another address."
        ) from error
