"""The option ``enhance`` in a job's course: through the last stage as a worker runs it, with a stub for a model."""

import pytest

from accounts.models import LedgerEntry
from jobs import lifecycle, reconciler, services
from jobs.clock import from_now
from jobs.models import Job, Stage, Status, TranscriptPart
from jobs.pipeline import stage_after, stages_of
from jobs.stage_task import run_stage
from jobs.tests.stubs import openai_answers as answers
from jobs.tests.stubs.openai_answers import GOOD_REPORT, chat_answer
from jobs.tests.stubs.openai_server import STUB_KEY
from jobs.tests.test_stage_task import Task
from reports.enhancers.registry import get_enhancer
from reports.models import EnhancedTranscript, Report
from reports.selectors import enhanced_transcript_of
from reports.services import build_report
from reports.tests.enhancing import correcting, is_report, texts_answer
from reports.writers.registry import get_writer

pytestmark = pytest.mark.django_db(transaction=True)

SAID = ["so we decided to ship on friday", "okay"]
CLEAN = ["So we decided to ship on Friday.", "Okay."]
SEGMENTS = [
    {"id": 0, "start": 0.25, "end": 4.125, "text": f" {SAID[0]}", "words": [{"start": 0.25, "end": 4, "word": "so"}]},
    {"id": 1, "start": 5.0, "end": 9.0, "text": f" {SAID[1]}", "avg_logprob": -0.2},
]


@pytest.fixture
def model(stub, settings):
    """The installation's language model, which corrects well and writes good reports."""
    settings.REPORT_WRITER = "auto"
    settings.REPORT_BASE_URL, settings.REPORT_API_KEY = stub.base_url, STUB_KEY
    settings.REPORT_TIMEOUT_SECONDS, settings.REPORT_TOTAL_SECONDS = 1.0, 2.0
    settings.REPORT_MODEL = "some/model"
    stub.always(correcting(lambda text: dict(zip(SAID, CLEAN, strict=True))[text]))
    yield stub
    get_enhancer.cache_clear()
    get_writer.cache_clear()


@pytest.fixture
def make_transcribed(make_job):
    """Makes a job that waits for its last stage."""

    def make(**options):
        job = make_job(stage=Stage.REPORT, language="en", options={"enhance": True, "report": True, **options})
        add_transcript(job)
        return job

    return make


def add_transcript(job):
    TranscriptPart.objects.create(job=job, position=0, text=" ".join(SAID), segments=SEGMENTS)


def run(job):
    run_stage(Task(), job.pk, Stage.REPORT, build_report)
    return Job.objects.get(pk=job.pk)


def shown(client, job):
    return client.get(f"/jobs/{job.pk}").json()


def codes(job):
    return [warning["code"] for warning in job.warnings]


# Well


@pytest.mark.parametrize("with_report", [True, False])
def test_it_is_kept_beside_the_original(as_alice, model, make_transcribed, with_report):
    job = run(make_transcribed(report=with_report))
    assert (job.status, codes(job)) == (Status.DONE, [])
    answer = shown(as_alice, job)
    assert answer["enhanced"] == {
        "text": " ".join(CLEAN),
        "model": "some/model",
        "segments": [
            {"id": 0, "start": 0.25, "end": 4.125, "text": CLEAN[0]},
            {"id": 1, "start": 5.0, "end": 9.0, "text": CLEAN[1]},
        ],
    }
    assert (answer["transcript"], answer["segments"]) == (" ".join(SAID), SEGMENTS)
    assert (answer["report"] is not None) == with_report == any(is_report(request) for request in model.requests)


def test_exports_take_it_as_a_transcript(model, make_transcribed):
    transcript = enhanced_transcript_of(run(make_transcribed()))
    assert [(s.start, s.end, s.text, s.words) for s in transcript.segments] == [
        (0.25, 4.125, CLEAN[0], ()),
        (5.0, 9.0, CLEAN[1], ()),
    ]
    assert transcript.language == "en"


@pytest.mark.parametrize("options", [{"enhance": False}, {}])
def test_nobody_is_asked_who_was_not_to_be(as_alice, model, make_job, options):
    job = make_job(stage=Stage.REPORT, options={"report": True, **options})
    add_transcript(job)
    job = run(job)
    assert [is_report(request) for request in model.requests] == [True]
    assert shown(as_alice, job)["enhanced"] is None
    assert enhanced_transcript_of(job) is None


def test_silence_is_not_enhanced(model, make_job):
    job = run(make_job(stage=Stage.REPORT, options={"enhance": True}))
    assert (job.status, codes(job), model.requests) == (Status.DONE, [], [])


@pytest.mark.parametrize(
    ("options", "is_last"),
    [
        ({"report": False, "enhance": True}, False),
        ({"report": False, "enhance": False}, True),
        ({"report": False}, True),
        ({"enhance": False}, False),
    ],
)
def test_the_last_stage_runs_for_either(make_job, options, is_last):
    job = make_job(options=options)
    assert (Stage.REPORT not in stages_of(job)) == is_last
    assert (stage_after(job, Stage.TRANSCRIBE) is None) == is_last


def test_a_job_is_read_with_few_questions(as_alice, model, make_transcribed, django_assert_max_num_queries):
    job = run(make_transcribed())
    with django_assert_max_num_queries(3):
        assert shown(as_alice, job)["enhanced"]


# Badly

FAULTS = {
    "401": answers.INVALID_KEY,
    "429": answers.RATE_LIMITED,
    "500": answers.SERVER_ERROR,
    "time-out": answers.HANG,
    "drip": answers.Answer(b'{"id": 1' * 50, drip_seconds=0.2),
    "hang up": answers.HANG_UP,
    "HTML": answers.HTML,
    "empty": answers.EMPTY,
    "prose": chat_answer("They ship on Friday."),
    "refusal": chat_answer(None, refusal="I cannot help with that."),
    "cut": chat_answer('{"lines": [', finish_reason="length"),
    "summary": texts_answer("They ship.", "Agreement."),
    "obedience": texts_answer("HACKED", "HACKED"),
}


@pytest.mark.parametrize("bad", FAULTS.values(), ids=FAULTS)
def test_a_failure_costs_neither_transcript_nor_report(as_alice, alice, model, make_transcribed, bad):
    model.always(lambda request: chat_answer(GOOD_REPORT) if is_report(request) else bad)
    job = run(make_transcribed())
    assert (job.status, codes(job)) == (Status.DONE, ["enhance_failed"])
    assert len(job.warnings[0]["message"]) > 110, "the message must say what went wrong, too"
    answer = shown(as_alice, job)
    assert (answer["transcript"], answer["segments"], answer["enhanced"]) == (" ".join(SAID), SEGMENTS, None)
    assert answer["report"] == {**GOOD_REPORT, "writer": "openai"}
    assert LedgerEntry.objects.get(job_id=job.pk, kind="settle").ms == 10_000


def test_a_report_that_fails_does_not_cost_the_enhanced_transcript(as_alice, model, make_transcribed):
    model.always(lambda request: answers.SERVER_ERROR if is_report(request) else texts_answer(*CLEAN))
    job = run(make_transcribed())
    assert codes(job) == ["report_failed"]
    assert shown(as_alice, job)["enhanced"]["text"] == " ".join(CLEAN)


def test_without_a_language_model_the_warning_names_the_settings(as_alice, make_transcribed, settings):
    settings.REPORT_WRITER, settings.REPORT_BASE_URL, settings.REPORT_API_KEY = "auto", "", ""
    settings.OPENROUTER_API_KEY = settings.OPENAI_API_KEY = ""
    job = run(make_transcribed())
    assert codes(job) == ["enhance_failed"]
    assert "OPENROUTER_API_KEY or REPORT_API_KEY" in job.warnings[0]["message"]
    assert shown(as_alice, job)["report"]["writer"] == "extractive"


def test_a_job_that_is_lost_between_the_two_keeps_neither(model, make_transcribed):
    job = make_transcribed()

    def answer(request):
        if not is_report(request):
            Job.objects.filter(pk=job.pk).update(token=None)
        return correcting(str.capitalize)(request)

    model.always(answer)
    assert run(job).status == Status.PROCESSING
    assert not Report.objects.exists()
    assert not EnhancedTranscript.objects.exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"report": True, "enhance": True}, ["report_failed", "enhance_failed"]),
        ({"report": False, "enhance": True}, ["enhance_failed"]),
        ({"report": True, "enhance": False}, ["report_failed"]),
    ],
)
@pytest.mark.parametrize("crashes", [True, False])
def test_a_worker_that_breaks_down_leaves_a_warning_for_each_that_was_asked_for(
    make_transcribed, options, expected, crashes
):
    job = make_transcribed(**options)
    for _ in range(3 if crashes else 1):
        claim = lifecycle.claim_job(job_id=job.pk, stage=Stage.REPORT, holder="here:1:2")
        if crashes:
            Job.objects.filter(pk=job.pk).update(lease_until=from_now(-1))
            reconciler.expire_silent_holders()
        else:
            lifecycle.fail(claim, code="internal_error", message="Something went wrong.")
    job.refresh_from_db()
    assert (job.status, codes(job)) == (Status.DONE, expected)


# Again


def again(job):
    services.rewrite_report(job=job)
    return run(job)


def test_a_report_that_is_written_again_leaves_it_as_it_is(as_alice, model, make_transcribed):
    job = run(make_transcribed(report=False))
    asked = len(model.requests)
    services.rewrite_report(job=job)
    assert shown(as_alice, job)["enhanced"]["text"] == " ".join(CLEAN), "the transcript is the same all the while"
    job = run(job)
    assert [is_report(request) for request in model.requests[asked:]] == [True]
    assert shown(as_alice, job)["enhanced"]["text"] == " ".join(CLEAN)
    assert shown(as_alice, job)["report"] is not None


def test_what_failed_is_tried_again_with_the_report(as_alice, model, make_transcribed):
    model.script(chat_answer(GOOD_REPORT), answers.RATE_LIMITED)
    job = run(make_transcribed())
    assert codes(job) == ["enhance_failed"]
    model.script(chat_answer(GOOD_REPORT), answers.OUT_OF_QUOTA)
    job = again(job)
    assert codes(job) == ["enhance_failed"], "one warning, the newest"
    assert "credit" in job.warnings[0]["message"]
    job = again(job)
    assert (job.status, codes(job)) == (Status.DONE, [])
    assert shown(as_alice, job)["enhanced"]["text"] == " ".join(CLEAN)


def test_a_crash_while_the_report_is_written_again_leaves_it_without_a_warning(as_alice, model, make_transcribed):
    job = run(make_transcribed())
    services.rewrite_report(job=job)
    claim = lifecycle.claim_job(job_id=job.pk, stage=Stage.REPORT, holder="here:1:2")
    lifecycle.fail(claim, code="internal_error", message="Something went wrong.")
    job.refresh_from_db()
    assert codes(job) == ["report_failed"]
    assert shown(as_alice, job)["enhanced"]["text"] == " ".join(CLEAN)


@pytest.mark.parametrize("succeeds", [True, False])
def test_an_earlier_runs_is_not_shown_and_does_not_stay(as_alice, model, make_transcribed, succeeds):
    job = make_transcribed()
    old = [{"id": 0, "start": 0, "end": 1, "text": "Old."}]
    EnhancedTranscript.objects.create(job=job, text="Old.", segments=old, model="m")
    Job.objects.filter(pk=job.pk).update(run=2)
    LedgerEntry.objects.filter(job_id=job.pk).update(run=2)
    assert shown(as_alice, job)["enhanced"] is None
    assert enhanced_transcript_of(job) is None
    if not succeeds:
        model.always(lambda request: chat_answer(GOOD_REPORT) if is_report(request) else answers.SERVER_ERROR)
    run(job)
    assert list(EnhancedTranscript.objects.values_list("text", flat=True)) == ([" ".join(CLEAN)] if succeeds else [])
    assert (shown(as_alice, job)["enhanced"] is not None) == succeeds


def test_a_deleted_job_takes_it_along(model, make_transcribed):
    job = run(make_transcribed())
    services.delete_job(job=job)
    assert not EnhancedTranscript.objects.exists()


def test_another_user_sees_nothing_of_it(as_charlie, model, make_transcribed):
    job = run(make_transcribed())
    assert as_charlie.get(f"/jobs/{job.pk}").status_code == 404
    assert EnhancedTranscript.objects.filter(job=job).exists()


def test_staff_read_it_on_the_jobs_page(staff, model, make_transcribed):
    job = run(make_transcribed())
    page = staff("view_job").get(f"/admin/jobs/job/{job.pk}/change/").text
    assert "Enhanced transcript" in page
    assert CLEAN[0] in page
    assert "some/model" in page
