"""Real processes over real databases, killed with -9 at their boundaries; `make faults` does hundreds of these."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tallyman.runtime import places
from tests.chaos import crashes, machines
from tests.chaos.crashes import Scene, crash_points, drivers, ended, fork, judge, scene_of
from tests.chaos.tally import Tally
from tests.postgres import postgres, programs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if programs() is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    with postgres() as url:
        yield url


def assert_clean(tally: Tally) -> None:
    assert tally.clean, "\n".join([str(tally), *tally.problems])


def _steps_and_points(folder: Path) -> tuple[set[str], set[str]]:
    with scene_of(folder, "boundaries", 3, "") as scene:
        reached = {point.rpartition(":")[0] for point in crash_points(scene)}
        engine = create_engine(f"sqlite:///{scene.home.database_file}")
        with engine.connect() as connection:
            steps = {row[0] for row in connection.execute(text("SELECT function_name FROM operation_outputs"))}
        engine.dispose()
    return steps, reached


def test_every_step_that_the_engine_remembers_has_a_crash_point_on_both_sides(tmp_path: Path) -> None:
    with drivers() as pool:
        steps, reached = pool.submit(_steps_and_points, tmp_path).result()
    steps.discard("DBOS.sleep")
    assert {"begin", "posting.intent", "posting.click", "posting.verify", "finish", "ask"} <= steps
    assert {f"{side}.{step}" for step in steps for side in ("step", "after")} <= reached
    assert {"posting.armed", "posting.click", "intake.stored", "intake.taken"} <= reached


def test_workers_killed_at_boundaries_of_an_embedded_installation_post_once_and_lose_nothing(tmp_path: Path) -> None:
    tally = crashes.singles(8, 5, tmp_path)
    assert_clean(tally)
    assert tally.extra["kills"] >= 6
    assert tally.extra["slowest_resume_s"] < 30


def test_workers_killed_twice_over_postgresql_post_once_and_lose_nothing(tmp_path: Path, server: str) -> None:
    tally = crashes.pairs(3, 6, tmp_path, server)
    assert_clean(tally)
    assert tally.extra["kills"] >= 3


def test_the_books_can_show_a_duplicate_and_a_loss(tmp_path: Path) -> None:
    """The judge is no rubber stamp: what is not right in the books is told."""
    with scene_of(tmp_path, "judged", 3, "") as scene:
        with scene.books.open() as books:
            for _ in range(2):
                books.execute("INSERT INTO records VALUES ('INV-invoice-1-V1', 'V1', '119', 0, 0)")
        tally = Tally(row="1", fault="")
        judge(scene, tally, "by hand")
    assert (tally.duplicates, tally.lost) == (1, len(scene.files))


def test_cases_of_the_version_before_are_ended_by_ours(tmp_path: Path, server: str) -> None:
    embedded, shared = crashes.upgrades(3, 7, tmp_path / "a"), crashes.upgrades(2, 8, tmp_path / "b", server)
    assert_clean(embedded)
    assert_clean(shared)
    assert embedded.extra["kills"] >= 3


def test_workers_that_share_accounts_never_use_one_twice_and_end_what_the_dead_left(
    tmp_path: Path, server: str
) -> None:
    tally = machines.several(3, 30, 1, 9, tmp_path, server, accounts=2)
    assert_clean(tally)
    assert tally.extra["slowest_take_over_s"] < 10


def _cut_off(folder: Path, server: str) -> list[int | None]:
    with scene_of(folder, "cut-off", 4, server) as scene:
        scene = Scene(scene.folder, scene.seed, scene.url, scene.files, slow_s=0.3)
        first = fork(scene)
        look = create_engine(scene.url, isolation_level="AUTOCOMMIT")
        until = time.monotonic() + 30
        at_work = text("SELECT 1 FROM dbos.workflow_status WHERE status = 'PENDING'")
        cut = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'tallyman worker %' AND datname = current_database()"
        )
        with look.connect() as connection:
            while time.monotonic() < until and not connection.execute(at_work).all():
                time.sleep(0.05)
            assert connection.execute(cut).all()
        look.dispose()
        codes = [ended(first), ended(fork(scene))]
        tally = Tally(row="1", fault="")
        judge(scene, tally, "cut off")
        assert tally.clean, tally.problems
    return codes


def test_a_worker_that_loses_its_place_ends_at_once_and_the_next_one_goes_on(tmp_path: Path, server: str) -> None:
    with drivers() as pool:
        assert pool.submit(_cut_off, tmp_path, server).result() == [70, 0]


def test_a_place_is_dead_when_its_connection_has_ended_and_not_before(server: str) -> None:
    url = f"{server}/postgres"
    one, other = places.SharedPlace(url), places.SharedPlace(url)
    assert one.name != other.name
    with one.dead(other.name) as dead:
        assert not dead
    assert one.take("lease:x")
    assert not other.take("lease:x")
    name = one.name
    one.close()
    with other.dead(name) as dead:
        assert dead
        third = places.SharedPlace(url)
        assert third.name != name, "nobody steps into a place while its work is taken over"
        third.close()
    assert other.take("lease:x")
    other.close()
