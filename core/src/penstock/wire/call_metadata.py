"""What a function's host says in a call's metadata, beside the frames of `function.proto`."""

from typing import Final

REPORTS_INPUTS: Final = "penstock-reports-inputs"
"""Initial metadata: `true` where the host tells which input an output came from and how many
inputs are done, as it does for a function of one value; `false` where it cannot. Trailing metadata
of a call that failed as well: where it fails at once, as a question does that is no whole call,
gRPC's clients may be told of the end first, and then have no initial metadata."""

FAILED_INPUT: Final = "penstock-failed-input"
"""Trailing metadata of a call that failed: the input that it failed at, counted from 0 in the
order in which the call received them. All inputs before it have been reported done. Missing where
the host cannot tell."""
