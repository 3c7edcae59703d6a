"""What becomes of the records of a file, on both databases."""

from dataclasses import astuple
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from server.audit import service as audit
from server.catalogue import service as catalogue
from server.catalogue.editing import service as editing
from server.catalogue.editing.service import By
from server.catalogue.imports import report, repository, service
from server.catalogue.imports import runner as runner_module
from server.catalogue.imports.policy import BATCH, Options
from server.catalogue.imports.runner import Interrupted, Runner
from server.catalogue.imports.service import Counts, Import, Source
from server.catalogue.models import ItemRow, RecordIsbnRow, RecordRow
from server.db import Database
from server.lending import service as lending
from server.lending.errors import UnknownBranchError
from server.lending.policy import LibraryPolicy
from server.patrons import service as patrons
from tests.server.catalogue.imports.conftest import Importer, titles
from tests.support.library import NOW
from tests.support.marc import CNMARC, DREAM, EMMA, LU, Fields, iso2709, many, numbered

BY = By("user:librarian", NOW)


def codes(database: Database, job: Import) -> list[tuple[int, str]]:
    with database.reading() as session:
        return [(line.number, line.code) for line in repository.problems(session, job.id)]


def isbns(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(RecordIsbnRow.isbn)))


def test_records_are_found_by_all_that_they_say(empty: Database, take: Importer) -> None:
    job = take(iso2709(DREAM) + iso2709(EMMA))
    assert (job.state, job.counts) == ("done", Counts(read=2, new=2))
    for query in ("红楼梦", "紅樓夢", "hong lou meng", "Cao Xueqin", "曹雪芹", "702000220X", "人民文學"):
        assert titles(empty, query) == ["紅樓夢"], query


def test_every_record_is_accounted_for_and_the_report_says_what_to_do(empty: Database, take: Importer) -> None:
    good = iso2709(EMMA)
    data = good + good[:60] + iso2709(DREAM) + iso2709([("001", "x")]) + b"junk\x1d" + iso2709(LU[:4]) + good
    job = take(data)
    counts = job.counts
    assert counts == Counts(read=7, new=2, skipped=1, failed=4)
    assert counts.read == counts.new + counts.updated + counts.skipped + counts.failed
    assert codes(empty, job) == [(2, "cut_off"), (4, "no_title"), (5, "no_leader"), (6, "no_title")]
    with empty.reading() as session, Path("/dev/null").open("w", encoding="utf-8") as file:
        assert report.write(session, job, file, "zh-CN") == 4


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no_records"),
        (b"\r\n\x1a", "no_records"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "no_records"),
        (b"%PDF-1.7\n1 0 obj\x1d<< >>\x1dendobj", "no_records"),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 5000, "no_records"),
        (b"PK\x03\x04 [Content_Types].xml", "no_records"),
        (b"001,Emma,Austen\n" * 100_000, "no_records"),
        ("<?xml version='1.0'?><collection/>".encode("utf-16"), "utf_16"),
    ],
)
def test_a_file_without_a_record_fails_and_says_why(take: Importer, data: bytes, code: str) -> None:
    job = take(data)
    assert (job.state, job.code, job.counts) == ("failed", code, Counts())


class TestOverlay:
    CHANGED: Fields = tuple((tag, f"{text[:2]}$aEmma$bthe new one" if tag == "245" else text) for tag, text in EMMA)

    def emma(self, database: Database) -> RecordRow:
        with database.reading() as session:
            return session.scalars(select(RecordRow)).one()

    def test_skip_leaves_it(self, empty: Database, take: Importer) -> None:
        take(iso2709(EMMA))
        assert take(iso2709(self.CHANGED)).counts == Counts(read=1, skipped=1)
        assert self.emma(empty).title == "Emma : a novel"

    def test_replace_takes_all_but_what_people_have_written(self, empty: Database, take: Importer) -> None:
        take(iso2709(EMMA))
        with empty.writing() as session:
            editing.update_record(session, 1, {"author": "Jane Austen"}, BY)
        changed = [*self.CHANGED[:5], ("100", "1 $aSomebody"), *self.CHANGED[6:]]
        assert take(iso2709(changed), overlay="replace").counts == Counts(read=1, updated=1)
        row = self.emma(empty)
        assert (row.title, row.author) == ("Emma the new one", "Jane Austen")
        assert titles(empty, "new one") == ["Emma the new one"]
        assert take(iso2709(changed), overlay="replace").counts == Counts(read=1, skipped=1), "the same again"

    def test_merge_adds_what_is_missing(self, empty: Database, take: Importer) -> None:
        take(iso2709(EMMA))
        more = [*self.CHANGED, ("520", "  $aA young woman errs.")]
        assert take(iso2709(more), overlay="merge").counts == Counts(read=1, updated=1)
        row = self.emma(empty)
        assert (row.title, row.summary) == ("Emma : a novel", "A young woman errs")

    def test_the_same_record_twice_in_a_file_is_one(self, empty: Database, take: Importer) -> None:
        assert take(iso2709(EMMA) + iso2709(self.CHANGED), overlay="replace").counts == Counts(read=2, new=1, updated=1)
        assert self.emma(empty).title == "Emma the new one"

    def test_by_isbn_when_another_library_numbers_it(self, empty: Database, take: Importer) -> None:
        take(iso2709(EMMA))
        theirs = [("001", "other"), *EMMA[1:]]
        assert take(iso2709(theirs)).counts == Counts(read=1, skipped=1)
        assert take(iso2709(theirs), match="control_number").counts == Counts(read=1, new=1)

    def test_replace_takes_the_isbns_too_and_merge_adds_them(self, empty: Database, take: Importer) -> None:
        new = [(tag, "  $a9787506365437" if tag == "020" else text) for tag, text in EMMA]
        take(iso2709(EMMA))
        assert take(iso2709(new), overlay="merge").counts == Counts(read=1, updated=1)
        assert isbns(empty) == ["9780141439587", "9787506365437"]
        assert take(iso2709(new), overlay="replace").counts == Counts(read=1, updated=1)
        assert isbns(empty) == ["9787506365437"]
        assert (titles(empty, "9780141439587"), titles(empty, "9787506365437")) == ([], ["Emma : a novel"])
        assert take(iso2709(EMMA) + iso2709(new), overlay="replace").counts == Counts(read=2, updated=2)
        assert isbns(empty) == ["9787506365437"], "there and back in one file"

    def test_replace_leaves_an_isbn_that_somebody_has_corrected(self, empty: Database, take: Importer) -> None:
        take(iso2709(EMMA))
        with empty.writing() as session:
            editing.update_record(session, 1, {"isbn": "9787506365437"}, BY)
        take(iso2709(self.CHANGED), overlay="replace")
        assert isbns(empty) == ["9787506365437"]

    def test_two_agencies_numbers_that_happen_to_be_the_same_are_two_books(
        self, empty: Database, take: Importer
    ) -> None:
        other = [("001", "t0003"), ("010", "  $a9787506365437"), ("200", "1 $a电工手册"), ("905", "  $dTM$bD0001")]
        take(iso2709(LU, leader=CNMARC))
        for how in ("replace", "skip"):  # the second time it is known by its title
            job = take(iso2709(other, leader=CNMARC), overlay=how, items="905")
            assert codes(empty, job) == ([(1, "number_shared")] if how == "replace" else [])
        with empty.reading() as session:
            assert sorted(session.scalars(select(RecordRow.title))) == ["呐喊 : 鲁迅小说集", "电工手册"]
            assert catalogue.get_item(session, "D0001").record_id == 2

    def test_an_isbn_under_another_title_is_another_book(self, empty: Database, take: Importer) -> None:
        take(iso2709(EMMA))
        job = take(iso2709(numbered(EMMA, 7, isbn=True)))
        assert job.counts == Counts(read=1, new=1)
        assert codes(empty, job) == [(1, "isbn_shared")]


class TestDryRun:
    def test_it_says_the_same_and_stores_nothing(self, empty: Database, take: Importer) -> None:
        data = many(BATCH + 5) + iso2709(DREAM) + many(3) + b"junk"
        expected = Counts(read=BATCH + 10, new=BATCH + 6, skipped=3, failed=1)
        assert take(data, dry_run=True).counts == expected
        with empty.reading() as session:
            assert session.scalar(select(func.count()).select_from(RecordRow)) == 0
        assert take(data).counts == expected

    @pytest.mark.parametrize("overlay", ["skip", "replace", "merge"])
    def test_it_says_what_the_real_one_does_however_the_file_falls_into_batches(
        self, empty: Database, take: Importer, monkeypatch: pytest.MonkeyPatch, overlay: str
    ) -> None:
        renumbered = [("001", "theirs"), *EMMA[1:]]
        other_isbn = [(tag, "  $a9787506365437" if tag == "020" else text) for tag, text in renumbered]
        held = [("952", "  $pX0009"), ("952", "  $pX0009"), ("952", "  $pX0001")]
        file = [
            EMMA, EMMA, TestOverlay.CHANGED, renumbered, other_isbn, EMMA, [*DREAM, *held], [*DREAM, *held],
            [("001", "n1"), ("245", "00$aNew"), *held[:1]], numbered(EMMA, 1), [("001", "x")],
        ]  # fmt: skip
        data = b"".join(map(iso2709, file))
        take(iso2709(EMMA), pool=True)
        told = []
        for batch, dry in ((BATCH, True), (1, True), (3, True), (1, False)):
            monkeypatch.setattr(runner_module, "BATCH", batch)
            job = take(data, dry_run=dry, items="952", overlay=overlay)
            told.append((job.counts, codes(empty, job)))
        assert told == [told[0]] * 4
        assert told[0][0].items == 2
        with empty.reading() as session:
            assert sorted(session.scalars(select(ItemRow.barcode))) == ["X0001", "X0009"]


class TestCopies:
    def test_copies_come_with_their_records_once(self, empty: Database, take: Importer) -> None:
        assert take(iso2709(EMMA), items="952").counts == Counts(read=1, new=1, items=1)
        assert take(iso2709(EMMA), items="952").counts == Counts(read=1, skipped=1)
        with empty.reading() as session:
            item = catalogue.get_item(session, "X0001")
        assert (item.branch, item.location, item.call_number, str(item.price)) == (
            "main",
            "Stacks",
            "PR4034 E5",
            "35.50",
        )

    def test_a_barcode_of_another_record_is_refused_and_told(self, empty: Database, take: Importer) -> None:
        job = take(iso2709(EMMA) + iso2709(numbered(EMMA, 1)), items="952")
        assert job.counts == Counts(read=2, new=2, items=1)
        assert codes(empty, job) == [(2, "barcode_taken")]

    def test_a_branch_that_the_library_does_not_have_and_a_readers_card_are_refused_and_told(
        self, empty: Database, take: Importer
    ) -> None:
        with empty.writing() as session:
            lending.set_policy(session, LibraryPolicy(branches=("main", "north")), actor="tests", at=NOW)
            patrons.add(session, patrons.NewPatron("X0004", "Alice"), NOW)
        held = [("952", "  $pX0002$anroth"), ("952", "  $pX0003$anorth"), ("952", "  $pX0004"), ("952", "  $pX0005")]
        for dry in (True, False):
            job = take(iso2709([*DREAM, *held]), items="952", dry_run=dry)
            assert job.counts == Counts(read=1, new=1, items=2)
            with empty.reading() as session:
                told = [(line.code, line.detail) for line in repository.problems(session, job.id)]
            assert told == [("unknown_branch", "X0002: nroth"), ("barcode_is_card", "X0004")]
        with empty.reading() as session:
            found = session.execute(select(ItemRow.barcode, ItemRow.branch).order_by(ItemRow.barcode)).all()
        assert [tuple(row) for row in found] == [("X0003", "north"), ("X0005", "main")]

    def test_where_the_policy_names_no_branches_those_of_the_copies_count(
        self, empty: Database, take: Importer
    ) -> None:
        def copies_at(*branches: str, **options: object) -> list[str]:
            held = [("952", f"  $pX1{branch}$a{branch}") for branch in branches]
            job = take(iso2709([*DREAM, *held]), items="952", overlay="merge", **options)
            return [code for _record, code in codes(empty, job)]

        assert copies_at("main", "east", dry_run=True) == []
        assert copies_at("main", "east") == [], "a library without copies gets its branches from the first file"
        assert copies_at("esat", "east") == ["unknown_branch"]
        with empty.reading() as session:
            service.check_branch(session, Options(branch="esat", new_branches=True), own="main")
            with pytest.raises(UnknownBranchError):
                service.check_branch(session, Options(branch="esat"), own="main")
            assert service.branches(session, Options(), own="main", came=2) == frozenset(), "it goes on as it began"
        assert copies_at("west", new_branches=True) == []

    def test_a_batch_of_serials_has_more_copies_than_a_statement_has_parameters(self, empty: Database) -> None:
        many_numbers = [f"{number}" for number in range(70_000)]
        with empty.reading() as session:
            assert repository.owners(session, many_numbers) == {}
            assert repository.known(session, [], many_numbers) == []


class TestPool:
    def test_what_is_kept_aside_is_not_found_until_it_is_imported(self, empty: Database, take: Importer) -> None:
        take(iso2709(EMMA), pool=True)
        assert titles(empty, "emma") == []
        assert take(iso2709(EMMA)).counts == Counts(read=1, updated=1)
        assert titles(empty, "emma") == ["Emma : a novel"]


class TestInterruption:
    def test_what_was_interrupted_goes_on_and_accounts_for_every_record_once(
        self, empty: Database, runner: Runner, tmp_path: Path
    ) -> None:
        file = tmp_path / "big.mrc"
        file.write_bytes(many(BATCH) + b"junk" + many(2 * BATCH + 10))
        with empty.writing() as session:
            source = Source("big.mrc", "1" * 64, file.stat().st_size, "cli")
            job = service.create(session, source, Options(), subject="cli", now=NOW)
        runner.stopping.set()  # after each batch it ends, as a process that is killed between two commits
        runs = 0
        while job.state != "done":
            with empty.writing() as session:
                job = service.claim(session, job.id, runner.worker, NOW)
            try:
                job = runner.run(job, file)
            except Interrupted:
                runs += 1
        assert runs >= 3
        assert job.counts == Counts(read=3 * BATCH + 11, new=2 * BATCH + 10, skipped=BATCH, failed=1)
        with empty.reading() as session:
            assert session.scalar(select(func.count()).select_from(RecordRow)) == 2 * BATCH + 10
        assert codes(empty, job) == [(BATCH + 1, "no_leader")]

    def test_a_batch_is_stored_with_its_counts_or_not_at_all(
        self, empty: Database, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "big.mrc"
        file.write_bytes(many(BATCH + 5))
        with empty.writing() as session:
            source = Source("big.mrc", "1" * 64, file.stat().st_size, "cli")
            job = service.create(session, source, Options(), subject="cli", now=NOW)
            job = service.claim(session, job.id, runner.worker, NOW)

        def power_cut(*_args: object, **_more: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patched:
            patched.setattr(service, "advance", power_cut)
            with pytest.raises(ZeroDivisionError):
                runner.run(job, file)
        with empty.reading() as session:
            assert session.scalar(select(func.count()).select_from(RecordRow)) == 0
        assert runner.run(job, file).counts == Counts(read=BATCH + 5, new=BATCH + 5)

    def test_an_import_that_was_cancelled_or_taken_by_another_ends(
        self, empty: Database, runner: Runner, tmp_path: Path
    ) -> None:
        file = tmp_path / "big.mrc"
        file.write_bytes(many(3))
        with empty.writing() as session:
            job = service.create(session, Source("f", "2" * 64, 9, "upload"), Options(), subject="x", now=NOW)
            service.claim(session, job.id, "somebody-else", NOW)
        with pytest.raises(Interrupted):
            runner.run(job, file)
        with empty.reading() as session:
            assert session.scalar(select(func.count()).select_from(RecordRow)) == 0


def test_what_the_database_refuses_fails_alone(empty: Database, take: Importer) -> None:
    with empty.connection() as connection:
        if empty.engine.dialect.name == "sqlite":
            trigger = "CREATE TRIGGER no BEFORE INSERT ON record WHEN new.title = 'Title 3'"
            connection.execute(text(f"{trigger} BEGIN SELECT RAISE(ABORT, 'no'); END"))
        else:
            connection.execute(text("ALTER TABLE record ADD CONSTRAINT no CHECK (title <> 'Title 3')"))
    job = take(many(6))
    assert job.counts == Counts(read=6, new=5, failed=1)
    assert codes(empty, job) == [(4, "not_stored")]


def test_who_imported_what_is_in_the_audit_log(empty: Database, take: Importer) -> None:
    job = take(iso2709(EMMA))
    with empty.reading() as session:
        rows = audit.page(session, audit.Wanted(target=f"import:{job.id}"))
        assert session.scalars(select(RecordIsbnRow.isbn)).all() == ["9780141439587"]
        assert session.scalars(select(ItemRow.id)).all() == []
    assert [row.entry.action for row in rows] == ["catalogue.import_done", "catalogue.import"]
    assert astuple(job.counts)[0] == 1
