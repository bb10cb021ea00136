"""Where a table comes from: each place in its turn, and what is said when one fails."""

import gzip
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.domain.data import DataSource
from core.domain.errors import SourceUnreadable
from core.settings import Settings, read_settings
from core.sources import Source, ingest, resolve

CSV = b"age,y\n30,no\n40,yes\n"
SHA256 = hashlib.sha256(CSV).hexdigest()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    return read_settings({}, home=str(tmp_path / "home"), data_dir=str(tmp_path / "data"), offline="1")


@pytest.fixture
def said() -> list[str]:
    return []


class Shop:
    """A loopback server that answers each request as it was told, and counts them."""

    def __init__(self) -> None:
        self.requests = 0
        self.body, self.status, self.done = CSV, 200, threading.Event()
        self.hang = self.drip = False
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.requests += 1
                if shop.hang:
                    shop.done.wait(10)
                    return
                self.send_response(shop.status)
                self.send_header("Content-Length", str(len(shop.body)))
                self.end_headers()
                if shop.drip:
                    self.wfile.write(shop.body[:1])
                    self.wfile.flush()
                    shop.done.wait(10)
                    return
                self.wfile.write(shop.body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/bankmarketing_train.csv"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    shop = Shop()
    thread = threading.Thread(target=shop.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield shop
    shop.done.set()
    shop.server.shutdown()
    shop.server.server_close()
    thread.join()


@pytest.fixture
def fetch(settings: Settings, shop: Shop, said: list[str]) -> Callable[..., Source]:
    def fetch(timeout_s: float = 5.0, sha256: str = SHA256) -> Source:
        online = replace(settings, offline=False, data_url=shop.url, download_timeout_s=timeout_s)
        return resolve("bank-marketing", online, said.append, bank_sha256=sha256)

    return fetch


def test_a_path_is_taken_as_it_is(settings: Settings, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "my table.csv.gz"
    path.write_bytes(gzip.compress(CSV))
    assert resolve(str(path), settings, said.append) == Source(DataSource.FILE, str(path), "my table", path)
    assert said == []


def test_a_relative_path_and_a_file_without_an_ending_are_paths(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").write_bytes(CSV)
    assert resolve("plain", settings, said.append).path == tmp_path / "plain"
    assert resolve("./plain", settings, said.append).path == tmp_path / "plain"


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.xz", ".parquet"])
def test_a_name_is_looked_up_in_the_cache_then_in_the_folders(
    settings: Settings, tmp_path: Path, said: list[str], ending: str
) -> None:
    in_folder, in_cache = tmp_path / "data" / f"adult{ending}", settings.home / "cache" / f"adult{ending}"
    in_folder.write_bytes(CSV)
    assert resolve("adult", settings, said.append) == Source(DataSource.FILE, str(in_folder), "adult", in_folder)
    in_cache.parent.mkdir(parents=True)
    in_cache.write_bytes(CSV)
    assert resolve("adult", settings, said.append).kind is DataSource.CACHE


def test_the_first_folder_wins(settings: Settings, tmp_path: Path, said: list[str]) -> None:
    folders = (tmp_path / "absent", tmp_path / "a", tmp_path / "b")
    for folder in folders[1:]:
        folder.mkdir()
        (folder / "t.csv").write_bytes(CSV)
    assert resolve("t", replace(settings, data_dir=folders), said.append).path == tmp_path / "a" / "t.csv"


@pytest.mark.parametrize("name", ["bankmarketing_train", "bank-marketing"])
def test_the_bank_table_is_called_bank_marketing_wherever_it_is(
    settings: Settings, tmp_path: Path, said: list[str], name: str
) -> None:
    path = tmp_path / "data" / "bankmarketing_train.csv"
    path.write_bytes(CSV)
    assert resolve(name, settings, said.append).name == "bank-marketing"
    assert resolve(str(path), settings, said.append).name == "bank-marketing"


def test_an_unknown_name_is_refused_with_the_places_and_the_close_names(
    settings: Settings, tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "data" / "adult.csv.xz").write_bytes(b"")
    with pytest.raises(SourceUnreadable, match="no table 'adlt'") as caught:
        resolve("adlt", settings, said.append)
    assert "Did you mean adult?" in caught.value.hint
    assert str(tmp_path / "data") in caught.value.hint


def test_a_path_that_is_not_there_names_its_neighbours(settings: Settings, tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "churn.csv").write_bytes(CSV)
    with pytest.raises(SourceUnreadable, match=r"no file '.*chrun\.csv'") as caught:
        resolve(str(tmp_path / "chrun.csv"), settings, said.append)
    assert "churn.csv" in caught.value.hint


def test_a_folder_is_no_table(settings: Settings, tmp_path: Path, said: list[str]) -> None:
    with pytest.raises(SourceUnreadable, match="is a folder"):
        resolve(str(tmp_path), settings, said.append)


def test_a_pipe_is_not_waited_for(settings: Settings, tmp_path: Path, said: list[str]) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(SourceUnreadable, match="is not a file"):
        resolve(str(tmp_path / "pipe.csv"), settings, said.append)


def test_a_name_that_no_file_can_have_is_unknown(settings: Settings, said: list[str]) -> None:
    with pytest.raises(SourceUnreadable, match="no table"):
        resolve("x" * 300, settings, said.append)
    with pytest.raises(SourceUnreadable, match="File name too long"):
        resolve("./" + "x" * 300, settings, said.append)


def test_a_download_is_announced_checked_and_cached(
    fetch: Callable[..., Source], shop: Shop, settings: Settings, said: list[str]
) -> None:
    source = fetch()
    cached = settings.home / "cache" / "bankmarketing_train.csv"
    assert source == Source(DataSource.DOWNLOAD, shop.url, "bank-marketing", cached)
    assert cached.read_bytes() == CSV
    assert cached.stat().st_mode & 0o777 == 0o600
    assert len(said) == 1
    assert shop.url in said[0]
    assert (fetch().kind, shop.requests, len(said)) == (DataSource.CACHE, 1, 1)


def test_a_packed_download_is_checked_by_what_is_in_it(fetch: Callable[..., Source], shop: Shop) -> None:
    shop.body = gzip.compress(CSV)
    source = fetch()
    assert source.path is not None
    assert source.path.read_bytes() == CSV


def test_nothing_is_fetched_offline(settings: Settings, shop: Shop, said: list[str]) -> None:
    source = resolve("bank-marketing", replace(settings, data_url=shop.url), said.append, bank_sha256=SHA256)
    assert (source.kind, shop.requests) == (DataSource.TWIN, 0)
    assert "SLIPWAY_OFFLINE" in said[0]


def test_other_bytes_than_expected_are_thrown_away(
    fetch: Callable[..., Source], settings: Settings, said: list[str]
) -> None:
    assert fetch(sha256="0" * 64).kind is DataSource.TWIN
    assert "other bytes than expected" in said[1]
    assert not (settings.home / "cache").exists()


def test_a_missing_page_gives_way_to_the_twin_and_says_so(
    fetch: Callable[..., Source], shop: Shop, said: list[str]
) -> None:
    shop.status = 404
    source = fetch()
    assert (source.kind, source.name, source.path) == (DataSource.TWIN, "bank-marketing", None)
    assert source.origin == "synthetic twin of Bank Marketing, seed 7"
    assert "404" in said[1]
    assert "synthetic twin of Bank Marketing" in said[2]


@pytest.mark.parametrize("slowness", ["hang", "drip"])
def test_a_server_that_is_too_slow_gives_way_to_the_twin(
    fetch: Callable[..., Source], shop: Shop, said: list[str], slowness: str
) -> None:
    setattr(shop, slowness, True)
    assert fetch(timeout_s=0.2).kind is DataSource.TWIN
    assert "took longer than 0.2 s" in said[1] or "timed out" in said[1]


def test_an_address_of_another_kind_is_not_opened(settings: Settings, tmp_path: Path, said: list[str]) -> None:
    online = replace(settings, offline=False, data_url=(tmp_path / "x.csv").as_uri())
    assert resolve("bank-marketing", online, said.append).kind is DataSource.TWIN
    assert "not an http or https address" in said[1]


def test_the_twin_is_ingested_under_its_own_name(settings: Settings, tmp_path: Path, said: list[str]) -> None:
    source = resolve("bank-marketing", settings, said.append)
    ingested = ingest(source, tmp_path / "twin.parquet")
    assert (ingested.rows, len(ingested.columns), ingested.columns[-1]) == (32_950, 21, "y")
    assert ingested.sha256 == ingest(source, tmp_path / "again.parquet").sha256
