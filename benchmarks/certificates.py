"""A certificate authority of our own, so that the database is really verified."""

from pathlib import Path

from rehearsal import bounded

OPENSSL_SECONDS = 30
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
VALID = ("-days", "2")


def make(directory: Path, host: str) -> None:
    """Write ca.pem, and server.pem with server.key for `host`."""
    names = directory / "names"
    names.write_text(f"subjectAltName=DNS:{host}\n", encoding="ascii")
    ca, server = (str(directory / name) for name in ("ca", "server"))
    _openssl("req", "-x509", *KEY, *VALID, "-subj", "/CN=benchmark CA", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    _openssl("req", *KEY, "-subj", f"/CN={host}", "-keyout", f"{server}.key", "-out", f"{server}.csr")
    _openssl(
        "x509", "-req", "-in", f"{server}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
        *VALID, "-extfile", str(names), "-out", f"{server}.pem",
    )  # fmt: skip
    # Containers read them as users of their own; they are worth nothing outside this run.
    for path in directory.glob("*.pem"):
        path.chmod(0o644)
    (directory / "server.key").chmod(0o644)


def _openssl(*arguments: str) -> None:
    bounded.run(
        ["openssl", *arguments],
        failure="The benchmark's certificate could not be made",
        remedy="Install openssl.",
        timeout_seconds=OPENSSL_SECONDS,
    )
