"""Host names, health paths, and what HTTPS=true changes."""

from django.test import SimpleTestCase, TestCase, override_settings

HTTPS = override_settings(
    SECURE_SSL_REDIRECT=True,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    SECURE_HSTS_SECONDS=31_536_000,
)


class Hosts(TestCase):
    def test_a_stranger_host_header_is_refused(self) -> None:
        self.assertEqual(self.client.get("/", headers={"Host": "evil.example"}).status_code, 400)

    def test_a_known_host_is_served(self) -> None:
        with override_settings(ALLOWED_HOSTS=["pactum.example"]):
            self.assertEqual(self.client.get("/", headers={"Host": "pactum.example"}).status_code, 200)

    @HTTPS
    def test_health_is_answered_by_ip_address_over_http(self) -> None:
        """The balancer asks so; a 400 or a redirect would make ECS stop every task."""
        for path in ("/healthz", "/readyz"):
            response = self.client.get(path, headers={"Host": "10.0.3.7:8000"})
            self.assertEqual(response.status_code, 200, f"{path} must be answered before ALLOWED_HOSTS and redirects")


class Https(SimpleTestCase):
    @HTTPS
    def test_http_is_redirected_and_https_gets_hsts(self) -> None:
        plain = self.client.get("/agreements/new/")
        self.assertEqual((plain.status_code, plain["Location"]), (301, "https://testserver/agreements/new/"))
        secure = self.client.get("/agreements/new/", headers={"X-Forwarded-Proto": "https"})
        self.assertEqual(secure.status_code, 200)
        self.assertEqual(secure["Strict-Transport-Security"], "max-age=31536000")

    def test_without_https_the_forwarded_scheme_is_not_believed(self) -> None:
        response = self.client.get("/agreements/new/", headers={"X-Forwarded-Proto": "https"})
        self.assertFalse(response.wsgi_request.is_secure())
