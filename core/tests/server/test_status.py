"""The gRPC status of each class of error."""

import grpc
import pytest

from penstock.plugin import (
    ContentTypeMismatch,
    NotReady,
    PenstockError,
    PermanentError,
    TemporaryError,
    Unsupported,
    UsageError,
)
from penstock.server.status import status_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TemporaryError("x"), grpc.StatusCode.UNAVAILABLE),
        (NotReady("x"), grpc.StatusCode.UNAVAILABLE),
        (PermanentError("x"), grpc.StatusCode.INVALID_ARGUMENT),
        (ContentTypeMismatch("text/plain", ""), grpc.StatusCode.INVALID_ARGUMENT),
        (UsageError("x"), grpc.StatusCode.INVALID_ARGUMENT),
        (Unsupported("x"), grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
def test_the_class_decides_and_the_text_is_kept(
    error: PenstockError, code: grpc.StatusCode
) -> None:
    assert status_of(error) == (code, str(error))


def test_a_text_that_does_not_fit_in_a_header_is_cut() -> None:
    _, text = status_of(PermanentError("x" * 100_000))
    assert text == "x" * 2000


def test_an_error_of_nobody_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    assert status_of(KeyError("secret")) == (
        grpc.StatusCode.INTERNAL,
        "the gateway failed (KeyError); its log says why",
    )
    assert "KeyError: 'secret'" in caplog.text
