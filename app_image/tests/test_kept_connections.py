"""Kept connections are named once when they are asked, whoever had their number before."""

from __future__ import annotations

import selectors
import socket
from unittest import mock

from django.test import SimpleTestCase

from deployment.kept_connections import KeptConnections


class Kept(SimpleTestCase):
    def setUp(self) -> None:
        self.kept = KeptConnections()

    def connect(self) -> tuple[socket.socket, mock.Mock]:
        client, server = socket.socketpair()
        self.addCleanup(client.close)
        self.addCleanup(server.close)
        return client, mock.Mock(sock=server)

    def test_who_is_asked_is_named_once_until_it_is_kept_again(self) -> None:
        client, conn = self.connect()
        _, silent = self.connect()
        self.kept.keep(conn)
        self.kept.keep(silent)
        self.assertEqual(self.kept.asked(), [])
        client.send(b"x")
        self.assertEqual(self.kept.asked(), [conn])
        self.assertEqual(self.kept.asked(), [], "its thread reads now; the main thread must not wake for it again")
        self.kept.keep(conn)
        self.assertEqual(self.kept.asked(), [conn], "nothing that has come meanwhile is lost")

    def test_a_selector_sees_that_one_is_asked(self) -> None:
        client, conn = self.connect()
        self.kept.keep(conn)
        with selectors.DefaultSelector() as selector:
            selector.register(self.kept, selectors.EVENT_READ)
            self.assertEqual(selector.select(0), [])
            client.send(b"x")
            self.assertEqual(len(selector.select(1)), 1)

    def test_a_client_that_leaves_is_noticed(self) -> None:
        client, conn = self.connect()
        self.kept.keep(conn)
        client.close()
        self.assertEqual(self.kept.asked(), [conn])

    def test_a_number_may_be_given_to_another(self) -> None:
        _, first = self.connect()
        self.kept.keep(first)
        number = first.sock.fileno()
        first.sock.close()
        client, second = self.connect()
        if client.fileno() == number:
            client, second = second.sock, mock.Mock(sock=client)
        self.assertEqual(second.sock.fileno(), number)
        self.kept.keep(second)
        client.send(b"x")
        self.assertEqual(self.kept.asked(), [second])
