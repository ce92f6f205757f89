"""Containers of this process and of others."""

from __future__ import annotations

from docker import DockerClient

from restore_drill.servers.containers import (
    OWNER_LABEL,
    labels,
)


def ours(client: DockerClient) -> set[str]:
    """Ids of the containers that carry this process's label."""
    label = f"{OWNER_LABEL}={labels()[OWNER_LABEL]}"
    found = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    return {str(container.id) for container in found}


def everything(client: DockerClient, image: str | None = None) -> set[str]:
    """Ids of all containers, running or not; of those of `image`, where that is given."""
    only = {"ancestor": image} if image else {}
    # Others of the tests beside this one go while they are listed.
    found = client.containers.list(all=True, filters=only, ignore_removed=True)
    return {str(container.id) for container in found}
