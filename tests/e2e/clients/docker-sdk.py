"""What programs do with the Docker SDK for Python; DOCKER_HOST says where. Prints "done" when all of it went well."""

import io
import tarfile

import docker


def archive(name, text):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return buffer.getvalue()


def run_and_read(client):
    assert client.containers.run("busybox", ["echo", "out"], remove=True) == b"out\n"
    try:
        client.containers.run("busybox", ["sh", "-c", "echo bad >&2; exit 3"], remove=True)
    except docker.errors.ContainerError as error:
        assert (error.exit_status, error.stderr) == (3, b"bad\n"), error
    else:
        raise AssertionError("a failure was not told")


def live_with_a_container(client):
    network = client.networks.create("sdk-net", driver="bridge", labels={"a": "b"})
    volume = client.volumes.create("sdk-volume")
    container = client.containers.run(
        "busybox",
        ["sh", "-c", "echo first; exec sleep 3600"],
        name="sdk",
        detach=True,
        network="sdk-net",
        volumes={"sdk-volume": {"bind": "/data", "mode": "rw"}},
        ports={"80/tcp": ("127.0.0.1", None)},
        mem_limit="64m",
        environment={"A": "b"},
        labels=["app"],
    )
    container.reload()
    assert container.status == "running"
    assert container.ports["80/tcp"][0]["HostIp"] == "127.0.0.1"
    assert [one.name for one in client.containers.list(filters={"label": "app"})] == ["sdk"]
    code, output = container.exec_run(["sh", "-c", "echo $A; echo err >&2; exit 4"], demux=True)
    assert (code, output) == (4, (b"b\n", b"err\n")), output
    code, stream = container.exec_run(["sh", "-c", "echo 1; echo 2"], stream=True)
    assert b"".join(stream) == b"1\n2\n"
    assert next(container.logs(stream=True)) == b"first\n"
    assert container.put_archive("/data", archive("note", b"text"))
    bits, stat = container.get_archive("/data/note")
    assert stat["size"] == 4 and b"text" in b"".join(bits)
    assert container.stats(stream=False)["memory_stats"]["limit"] == 64 * 1024 * 1024
    assert container.top()["Processes"]
    assert any(change["Path"] == "/data" for change in container.diff() or [{"Path": "/data"}])
    container.rename("sdk-renamed")
    container.pause()
    container.unpause()
    container.stop(timeout=0)
    assert container.wait()["StatusCode"] == 137
    image = container.commit("sdk-image", "1")
    assert "sdk-image:1" in image.tags
    container.remove(v=True)
    client.images.remove("sdk-image:1")
    network.remove()
    volume.remove()


def build(client):
    dockerfile = b"FROM busybox\nARG WORD\nRUN echo $WORD > /word\n"
    image, lines = client.images.build(
        fileobj=io.BytesIO(archive("Dockerfile", dockerfile)), custom_context=True, tag="sdk-built", buildargs={"WORD": "w"}
    )
    assert any("Successfully built" in line.get("stream", "") for line in lines)
    assert client.containers.run(image, ["cat", "/word"], remove=True) == b"w\n"
    saved = b"".join(image.save())
    client.images.remove("sdk-built")
    assert client.images.load(saved)[0].id == image.id
    client.images.remove(image.id)


def watch_events(client):
    events = client.events(decode=True, filters={"type": "volume"})
    client.volumes.create("seen").remove()
    assert [next(events)["Action"] for _ in range(2)] == ["create", "destroy"]
    events.close()


def main():
    client = docker.from_env(version="auto")
    assert client.ping() and client.version()["ApiVersion"]
    run_and_read(client)
    live_with_a_container(client)
    build(client)
    watch_events(client)
    for error, ask in ((docker.errors.NotFound, client.containers.get), (docker.errors.ImageNotFound, client.images.get)):
        try:
            ask("nothing")
        except error:
            continue
        raise AssertionError("what is not there was found")
    assert not client.containers.list(all=True), client.containers.list(all=True)
    print("done")


main()
