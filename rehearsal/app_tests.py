"""Builds the image of app_image/ and runs the application's tests in it and on it (tests/app/run, check_supply.py)."""

import os
import subprocess
import sys
from pathlib import Path

from rehearsal import bounded
from rehearsal.base_images import POSTGRES, BaseImages
from rehearsal.docker_client import DockerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.realisers.images import BUILD_SECONDS

TESTS_SECONDS = 900
END_SECONDS = 60


def run(place: Place, docker: DockerClient, images: BaseImages) -> int:
    """Build the image and run the tests, their output as it comes; answers their exit code."""
    reference = f"pactum-app-tests:{os.getpid()}"
    environment = {
        **os.environ,
        # The scripts call `docker`: they must find the client that works here.
        "PATH": f"{Path(docker.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "IMAGE": reference,
        "PYTHON_IMAGE": images.python,
        "POSTGRES_IMAGE": f"{images.prefix}/{POSTGRES}",
        "BUILDKIT_PROGRESS": "plain",
    }
    bounded.run(
        [str(place.root / "app_image/build")],
        failure="app_image/ could not be built",
        remedy="Correct it; `make image` shows the whole build.",
        timeout_seconds=BUILD_SECONDS,
        environment=environment,
    )
    supply = [sys.executable, "-m", "pytest", "-q", "tests/app/check_supply.py"]
    try:
        for command in ([str(place.root / "tests/app/run")], supply):
            if code := _run(command, place, environment):
                return code
    finally:
        docker.attempt("image", "rm", "--force", reference, timeout_seconds=60)
    return 0


def _run(command: list[str], place: Place, environment: dict[str, str]) -> int:
    process = subprocess.Popen(command, cwd=place.root, env=environment)
    try:
        return process.wait(TESTS_SECONDS)
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"The application's tests did not end within {TESTS_SECONDS} s.") from None
    finally:
        if process.poll() is None:
            # The script removes its containers itself when it is asked to end.
            process.terminate()
            process.wait(END_SECONDS)
