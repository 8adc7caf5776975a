"""Every refusal the user can meet, in one tree.

    HealthConnectError
    ├── UploadRejected        the file is at fault: empty, broken, locked, too large, not what it says it is
    ├── NothingFound          the question was understood, and nothing answers it
    ├── NotAllowed            this person, or this state of the record, does not permit it
    ├── PrescriptionInvalid   a prescription cannot be written, or a code cannot be trusted
    ├── ModelUnavailable      a model's weights are missing, altered or do not fit the machine
    ├── SettingsInvalid       an environment variable holds what the program cannot use
    ├── StorageFailed         our own store could not keep or fetch something
    └── Cancelled             the user stopped the job; what was finished is kept where the job says so

The first five are the caller's to mend (command line exit 2); the others are ours (exit 1).
"""

from __future__ import annotations


class HealthConnectError(Exception):
    """Base of all domain errors. `user_message` may be shown to anyone: what was found, why we stop, what to do.

    It never holds a patient's name, a path, or text from a library; the cause goes into `__cause__` and the log.
    """

    def __init__(self, user_message: str) -> None:
        super().__init__(user_message)
        self.user_message = user_message


class UploadRejected(HealthConnectError):
    """The uploaded file cannot be used as it is."""


class NothingFound(HealthConnectError):
    """The request was understood and nothing in the store answers it."""


class NotAllowed(HealthConnectError):
    """The person or the state of the record does not permit this."""


class PrescriptionInvalid(HealthConnectError):
    """A prescription cannot be issued as written, or a code does not hold what it claims."""


class ModelUnavailable(HealthConnectError):
    """A model cannot be loaded: weights missing or altered, or unknown name."""


class SettingsInvalid(HealthConnectError):
    """A setting from the environment is unusable; the message names the variable."""


class StorageFailed(HealthConnectError):
    """The store could not keep or fetch something."""


class Cancelled(HealthConnectError):
    """The user asked the job to stop."""


USER_CAN_MEND = (UploadRejected, NothingFound, NotAllowed, PrescriptionInvalid)
