"""What only a developer's machine has: docker-compose.yml mounts it, and no image contains it."""
