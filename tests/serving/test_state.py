"""Several deployments, their traffic, and changes while serving."""

import asyncio
import threading
from collections import Counter
from random import Random

import msgspec
import pytest
from serving_fakes import ROW, Client, EndpointFiles, Loader, digest

from core.contract.endpoint_file import FORMAT, DeploymentStatus, WorkerReport
from core.contract.samples import body
from core.domain.errors import PayloadTooLarge
from core.serving.refusals import NotReady
from core.serving.state import State


@pytest.fixture
def two(client):
    client.change(
        deployments={"v1": EndpointFiles.deployment("one"), "v2": EndpointFiles.deployment("two", 2)},
        traffic={"v1": 70, "v2": 30},
    )
    return client


def answered_by(client, **headers):
    response = client.score(headers=headers)
    return response.status_code, response.headers.get("azureml-model-deployment")


@pytest.mark.contract("H3")
def test_the_header_selects_a_deployment_and_the_reply_names_it(two):
    assert answered_by(two, **{"azureml-model-deployment": "v2"}) == (200, "v2")
    assert answered_by(two, **{"azureml-model-deployment": "v1"}) == (200, "v1")


@pytest.mark.contract("H3", "E4")
def test_an_unknown_deployment_is_404(two):
    response = two.score(headers={"azureml-model-deployment": "v9"})
    assert response.status_code == 404
    assert "azureml-model-deployment" not in response.headers


@pytest.mark.contract("K3")
def test_traffic_is_shared_by_percent(two):
    random = Random(7)
    drawn = Counter(two.state.now.choose("", random.random).name for _ in range(4000))
    assert drawn["v2"] == pytest.approx(1200, abs=120)


@pytest.mark.parametrize(("draw", "name"), [(0.0, "v1"), (0.6999, "v1"), (0.7, "v2"), (0.9999999999999999, "v2")])
def test_the_draw_decides_at_the_borders(two, draw, name):
    two.draws[0] = draw
    assert answered_by(two) == (200, name)


@pytest.mark.contract("K3", "H3")
def test_a_new_deployment_without_traffic_is_reachable_by_its_header_at_once(two):
    two.change(traffic={"v1": 100, "v2": 0})
    two.draws[0] = 0.9999999999999999
    assert answered_by(two) == (200, "v1")
    assert answered_by(two, **{"azureml-model-deployment": "v2"}) == (200, "v2")


@pytest.mark.contract("R1", "E4")
def test_no_traffic_is_503_but_health_is_good(two):
    two.change(traffic={})
    assert answered_by(two) == (503, None)
    assert two.get("/").status_code == 200
    assert answered_by(two, **{"azureml-model-deployment": "v1"}) == (200, "v1")


@pytest.mark.contract("R1", "E4")
def test_no_deployment_is_503_in_json_everywhere(two):
    two.change(deployments={}, traffic={})
    for response in (two.get("/"), two.score(), two.get("/swagger.json")):
        assert response.status_code == 503
        assert response.json()["message"]


@pytest.mark.contract("K3")
def test_a_deployment_that_does_not_load_leaves_the_others_and_gives_them_its_traffic(two):
    two.change(deployments=two.files.content["deployments"] | {"v2": EndpointFiles.deployment("broken")})
    two.draws[0] = 0.99
    assert answered_by(two) == (200, "v1")
    assert answered_by(two, **{"azureml-model-deployment": "v2"}) == (503, None)
    assert msgspec.to_builtins(two.state.now.report().deployments) == {
        "v1": {"state": "ready", "error": ""},
        "v2": {"state": "failed", "error": "ValueError: first line the arrays are damaged"},
    }


def test_an_unchanged_deployment_is_not_loaded_again(two):
    two.change(traffic={"v1": 0, "v2": 100})
    two.change(limits={"max_rows": 7})
    assert two.loader.loads == ["one", "two"]
    two.change(deployments={"v1": EndpointFiles.deployment("three", 3)})
    assert two.loader.loads == ["one", "two", "three"]


@pytest.mark.contract("D1")
def test_the_document_is_that_of_the_deployment_with_the_most_traffic(two):
    assert two.get("/swagger.json").json()["info"]["version"] == "1"
    two.change(traffic={"v1": 10, "v2": 90})
    assert two.get("/swagger.json").json()["info"]["version"] == "2"


def test_a_damaged_endpoint_file_changes_nothing(two, caplog):
    two.files.path.write_text('{"format": 1')
    assert two.state.refresh() is False
    assert "is damaged" in caplog.text
    assert answered_by(two)[0] == 200
    two.files.path.unlink()
    assert two.state.refresh() is False
    assert two.change(traffic={"v2": 100})
    assert answered_by(two) == (200, "v2")


@pytest.mark.contract("K1", "K2")
def test_of_a_file_of_a_newer_slipway_all_that_is_known_is_in_force(two):
    """A server that refused it would keep a key in force that was taken away."""
    deployments = {name: d | {"later": {"a": 1}} for name, d in two.files.content["deployments"].items()}
    limits = {"max_rows": 10**12, "later": True}
    two.change(
        format=99, later=[1], deployments=deployments, limits=limits, key_digests=[digest("new")], traffic={"v2": 100}
    )
    assert answered_by(two)[0] == 401
    response = two.score(key="new")
    assert (response.status_code, response.headers["azureml-model-deployment"]) == (200, "v2")
    assert two.state.now.file.limits.max_rows == 10**12


@pytest.mark.parametrize("change", [{"traffic": 7}, {"limits": {"max_rows": "all"}}, {"deployments": None}])
def test_what_cannot_be_understood_changes_nothing_and_is_told(two, caplog, change):
    assert two.change(**change) is False
    assert f"damaged: Expected `{'int' if 'limits' in change else 'object'}`" in caplog.text
    assert f"`$.{next(iter(change))}" in caplog.text
    assert answered_by(two)[0] == 200


@pytest.mark.contract("K2")
def test_a_change_is_taken_up_within_a_second_and_told(files):
    client = Client(files)

    async def wait_for_a_report():
        told = asyncio.Queue()
        watching = asyncio.create_task(client.state.watch(told.put_nowait))
        files.write(traffic={})
        report = await asyncio.wait_for(told.get(), 1.0)
        watching.cancel()
        return report

    assert client.run(wait_for_a_report()).version == 2
    client.close()


@pytest.mark.contract("K2")
def test_a_request_ends_with_the_deployment_it_began_with(two):
    async def change_in_the_middle():
        async def body():
            yield b'{"data":'
            two.change(deployments={"v2": EndpointFiles.deployment("two", 2)}, traffic={"v2": 100})
            yield b"[]}"

        return await two.send("POST", "/score", content=body(), headers=headers)

    headers = {"content-type": "application/json", "authorization": "Bearer primary-key-of-the-tests"}
    response = two.run(change_in_the_middle())
    assert (response.status_code, response.headers["azureml-model-deployment"]) == (200, "v1")
    assert answered_by(two) == (200, "v2")


@pytest.mark.contract("E3", "E5")
def test_a_bug_of_the_server_is_500_without_its_text_and_logged_without_values(two, caplog):
    two.draws.clear()  # the draw by traffic now raises
    response = two.score()
    assert response.status_code == 500
    assert response.json() == {"message": "The server failed to handle this request", "details": []}
    assert "failed on a bug" in caplog.text
    assert two.get("/").status_code == 200


class SlowLoader(Loader):
    """Folders named `slow...` load when the test lets them; `entered` tells that one has begun."""

    def __init__(self):
        super().__init__()
        self.entered, self.held = threading.Event(), threading.Event()

    def __call__(self, folder):
        if folder.name.startswith("slow"):
            self.entered.set()
            assert self.held.wait(10)
        return super().__call__(folder)


class Watched:
    """A state that follows its file, whose models load when the test lets them."""

    def __init__(self, files):
        self.files, self.loader = files, SlowLoader()
        self.state = State(files.path, self.loader)
        self.told = []

    def play(self, story):
        async def play():
            watching = asyncio.create_task(self.state.watch(self.told.append))
            try:
                await story(self)
            finally:
                self.loader.held.set()
                watching.cancel()
                self.state.close()

        asyncio.run(play())

    async def until(self, holds):
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)

    @property
    def now(self):
        return self.state.now

    def answering(self):
        return self.now.choose("", lambda: 0.99).file.folder


@pytest.fixture
def watched(files):
    return Watched(files)


@pytest.mark.contract("K2")
def test_keys_traffic_and_limits_do_not_wait_for_a_model_that_takes_long_to_load(watched):
    v1, slow = EndpointFiles.deployment("one"), EndpointFiles.deployment("slow", 2)

    async def story(watched):
        watched.files.write(deployments={"v1": v1, "v2": slow}, limits={"max_rows": 7}, key_digests=[])
        await watched.until(lambda: watched.now.file.version == 2)
        assert watched.now.file.key_digests == ()
        with pytest.raises(PayloadTooLarge):
            watched.now.deployments["v1"].score(body([ROW] * 8))
        with pytest.raises(NotReady, match="'v2' is being loaded"):
            watched.now.choose("v2", lambda: 0.0)
        watched.files.write(traffic={"v1": 40, "v2": 60}, key_digests=[digest("another")])
        await watched.until(lambda: watched.now.file.version == 3)
        assert watched.answering() == "one"
        assert watched.told == [], "a version is told when its models are there"
        watched.loader.held.set()
        await watched.until(lambda: watched.told)
        assert watched.answering() == "slow"
        assert watched.told[-1] == WorkerReport(3, {name: DeploymentStatus("ready") for name in ("v1", "v2")}, FORMAT)

    watched.play(story)
    assert watched.loader.loads == ["one", "slow"]


@pytest.mark.contract("K2")
def test_the_model_before_answers_until_the_one_that_replaces_it_is_loaded(watched):
    async def story(watched):
        watched.files.write(deployments={"v1": EndpointFiles.deployment("slow", 2)}, key_digests=[])
        await watched.until(lambda: watched.now.file.version == 2)
        assert (watched.answering(), watched.now.file.key_digests) == ("one", ())
        watched.loader.held.set()
        await watched.until(lambda: watched.told)
        assert watched.answering() == "slow"

    watched.play(story)


@pytest.mark.contract("K2", "K3")
@pytest.mark.parametrize("folder", ["slow", "slow and broken"])
def test_traffic_that_goes_all_to_a_model_that_is_not_loaded_yet_stays_where_it_was(watched, folder):
    async def story(watched):
        watched.files.write(deployments={"v2": EndpointFiles.deployment(folder, 2)}, traffic={"v2": 100})
        await watched.until(lambda: watched.now.file.version == 2)
        assert watched.answering() == "one"
        watched.loader.held.set()
        await watched.until(lambda: watched.told)
        assert "v1" not in watched.now.deployments

    watched.play(story)


def test_a_model_that_is_no_longer_wanted_when_it_is_loaded_is_let_go(watched):
    async def story(watched):
        v1 = EndpointFiles.deployment("one")
        watched.files.write(deployments={"v1": v1, "v2": EndpointFiles.deployment("slow", 2)})
        await watched.until(watched.loader.entered.is_set)
        watched.files.write(deployments={"v1": v1, "v2": EndpointFiles.deployment("two", 3)})
        await watched.until(lambda: watched.now.file.version == 3)
        watched.loader.held.set()
        await watched.until(lambda: watched.told)
        assert watched.now.choose("v2", lambda: 0.0).file.folder == "two"

    watched.play(story)
