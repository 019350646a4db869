"""The certificates the app trusts for its database."""

import re
import ssl
import tempfile
import time
from pathlib import Path

from django.test import SimpleTestCase

BUNDLE = Path("/etc/ssl/certs/rds-global-bundle.pem")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)


class Bundle(SimpleTestCase):
    def test_every_certificate_parses_is_a_ca_of_amazon_rds_and_is_valid(self) -> None:
        text = BUNDLE.read_text()
        certificates = CERTIFICATE.findall(text)
        self.assertEqual("".join(certificates), text, "nothing else belongs in a file of trust")
        self.assertEqual(len(certificates), 87)
        for number, certificate in enumerate(certificates):
            with self.subTest(number=number), tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(certificate)
                file.flush()
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations(file.name)
                # Only CA certificates are returned.
                (parsed,) = context.get_ca_certs()
                names = {key: value for ((key, value),) in parsed["issuer"]}
                self.assertEqual(names["organizationalUnitName"], "Amazon RDS")
                self.assertEqual(names["organizationName"], "Amazon Web Services, Inc.")
                self.assertGreater(ssl.cert_time_to_seconds(parsed["notAfter"]), time.time(), "it has expired")

    def test_the_region_of_the_default_stack_is_there_with_every_key_type(self) -> None:
        context = ssl.create_default_context(cafile=str(BUNDLE))
        names = {dict(pair for (pair,) in ca["subject"])["commonName"] for ca in context.get_ca_certs()}
        for key in ("RSA2048", "RSA4096", "ECC384"):
            self.assertIn(f"Amazon RDS us-east-1 Root CA {key} G1", names)
