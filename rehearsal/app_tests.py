"""Runs the application's own tests (tests/app/run) in the image that is made of app_image/."""

import os
import subprocess
from pathlib import Path

from rehearsal.base_images import POSTGRES, BaseImages
from rehearsal.docker_client import DockerClient, last_lines
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.realisers.images import BUILD_SECONDS, certificates

TESTS_SECONDS = 900
END_SECONDS = 60


def run(place: Place, docker: DockerClient, images: BaseImages) -> int:
    """Build the image and run the tests, their output as it comes; answers their exit code."""
    reference = f"pactum-app-tests:{os.getpid()}"
    built = docker.attempt(
        "build",
        *certificates(),
        *("--build-arg", f"PYTHON_IMAGE={images.python}", "--tag", reference, str(place.root / "app_image")),
        timeout_seconds=BUILD_SECONDS,
    )
    if built.returncode:
        raise RehearsalError(f"app_image/ could not be built:\n{last_lines(built.stdout + built.stderr)}")
    environment = {
        **os.environ,
        # The script calls `docker`: it must find the client that works here.
        "PATH": f"{Path(docker.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "IMAGE": reference,
        "POSTGRES_IMAGE": f"{images.prefix}/{POSTGRES}",
    }
    process = subprocess.Popen([str(place.root / "tests/app/run")], cwd=place.root, env=environment)
    try:
        return process.wait(TESTS_SECONDS)
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"The application's tests did not end within {TESTS_SECONDS} s.") from None
    finally:
        if process.poll() is None:
            # The script removes its containers itself when it is asked to end.
            process.terminate()
            process.wait(END_SECONDS)
        docker.attempt("image", "rm", "--force", reference, timeout_seconds=60)
