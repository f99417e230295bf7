"""Errors: what they carry for those who tell people."""

import pytest

from hubcore.errors import CodecError, FrameError, HubError, RecordError, Refused, RequestError


@pytest.mark.parametrize("kind", [CodecError, RecordError, FrameError, RequestError, Refused])
def test_whoever_catches_the_cores_errors_catches_all(kind):
    assert issubclass(kind, HubError)
    assert str(kind("words")) == "words"


def test_a_refusal_says_what_it_is_about():
    plain, about = Refused("day_closed"), Refused("chair_busy", "2")
    assert (plain.reason, plain.about, str(plain)) == ("day_closed", "", "day_closed")
    assert (about.reason, about.about, str(about)) == ("chair_busy", "2", "chair_busy: 2")


def test_a_request_error_has_the_status_to_answer_with():
    assert RequestError("no").code == 1
    assert RequestError("later", 3).code == 3
